import { LRUCache } from 'lru-cache';
import type { Kek } from '../keys/key-ring.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type EtagPlace, entryName, type KnownDigest, openEntry, readEntryHead, sealEntry } from './etag-entry.ts';
import type { EtagIndex } from './etag-index.ts';

/** The memory of an entry beside its name: two buffers, an object, and its places in a Map and in a list of uses. */
const BYTES_AN_ENTRY = 400;
const NONCE_BYTES = 12;

/** Where the MD5 of an object was found. `footer` means that it took a request to the backend. */
export type EtagSource = 'memory' | 'index' | 'footer';

/** Counts where MD5s were found. */
export interface EtagObserver {
  etagsFound(source: EtagSource, count: number): void;
}

export interface KnownEtagsOptions {
  /** It must never throw (resting-index.ts). */
  readonly index: EtagIndex;
  readonly keyRings: Pick<KeyRings, 'current' | 'kek'>;
  /** The memory for what this process remembers, in bytes. */
  readonly memoryBytes: number;
  /** How long the index keeps an entry after its last write. */
  readonly keepSeconds: number;
  readonly now: () => Date;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly observer: EtagObserver;
}

/** Names one stored object. `backendEtag` is unquoted. */
export type StoredIdentity = { readonly tenant: Tenant; readonly ref: ObjectRef; readonly backendEtag: string };

/**
 * Knows the MD5s of objects in buckets with MD5 ETags, as far as they are known without asking the backend: from this
 * process's memory, and from the index that all gateways share. What is known of a stored object stays true, because
 * another object at the same place has another backend ETag. Nothing here is authoritative, and no method fails: what
 * is not known here can be read from the object's footer.
 */
export class KnownEtags {
  readonly #memory: LRUCache<string, KnownDigest>;
  readonly #options: KnownEtagsOptions;

  constructor(options: KnownEtagsOptions) {
    this.#options = options;
    this.#memory = new LRUCache({
      maxSize: options.memoryBytes,
      sizeCalculation: (_digest, name) => BYTES_AN_ENTRY + 2 * name.length,
    });
  }

  /** Finds the digests of objects, in their order. The index is asked once for all that are not in memory. */
  async find(objects: readonly StoredIdentity[]): Promise<(KnownDigest | undefined)[]> {
    const found = objects.map((object) => this.#memory.get(memoryName(object)));
    const missing = objects.flatMap((object, at) => (found[at] === undefined ? [{ object, at }] : []));
    if (missing.length < objects.length) this.#options.observer.etagsFound('memory', objects.length - missing.length);
    if (missing.length === 0) return found;
    const entries = await this.#options.index.read(missing.map(({ object }) => entryName(placeOf(object))));
    const aged: { readonly object: StoredIdentity; readonly digest: KnownDigest }[] = [];
    for (const [nth, { object, at }] of missing.entries()) {
      const opened = await this.#open(entries[nth], object);
      if (opened === undefined) continue;
      found[at] = opened.digest;
      this.#memory.set(memoryName(object), opened.digest);
      if (opened.ageSeconds > this.#options.keepSeconds / 2) aged.push({ object, digest: opened.digest });
    }
    const fromIndex = missing.filter(({ at }) => found[at] !== undefined).length;
    if (fromIndex > 0) this.#options.observer.etagsFound('index', fromIndex);
    // Entries that are in use must not expire. They are written again when half of their time is over.
    if (aged.length > 0) void this.#write(aged);
    return found;
  }

  /** The digest of an object, if this process remembers it. */
  recall(object: StoredIdentity): KnownDigest | undefined {
    const digest = this.#memory.get(memoryName(object));
    if (digest !== undefined) this.#options.observer.etagsFound('memory', 1);
    return digest;
  }

  /**
   * Remembers the digest of an object that was written, or whose footer was read. It resolves once the digest is in the
   * index, or writing it there has failed, so that a client that is answered afterwards finds it through every gateway.
   * Never rejects.
   */
  async learn(object: StoredIdentity, digest: KnownDigest): Promise<void> {
    // The buffers are copied, because they are views of much larger memory.
    const { md5, crc64, oid } = digest;
    const own: KnownDigest = {
      ...digest,
      md5: md5 && Buffer.from(md5),
      ...(crc64 !== undefined && { crc64: Buffer.from(crc64) }),
      oid: Buffer.from(oid),
    };
    this.#memory.set(memoryName(object), own);
    await this.#write([{ object, digest: own }]);
  }

  /** Counts that a footer was read because the digest was not known. */
  countFooter(): void {
    this.#options.observer.etagsFound('footer', 1);
  }

  /** Opens an entry. One whose KEK is gone or not available now is treated as missing. */
  async #open(
    entry: Buffer | undefined,
    object: StoredIdentity,
  ): Promise<{ readonly digest: KnownDigest; readonly ageSeconds: number } | undefined> {
    const head = entry === undefined ? undefined : readEntryHead(entry);
    if (entry === undefined || head === undefined) return undefined;
    const kek = await this.#options.keyRings.kek(object.tenant.ringId, head.kekVersion).catch(() => undefined);
    const digest = kek && openEntry(entry, placeOf(object), kek.key);
    return digest && { digest, ageSeconds: seconds(this.#options.now()) - head.writtenAtSeconds };
  }

  async #write(learnt: readonly { readonly object: StoredIdentity; readonly digest: KnownDigest }[]): Promise<void> {
    const { keyRings, index, now, randomBytes } = this.#options;
    const ringId = learnt[0]?.object.tenant.ringId;
    const kek: Kek | undefined =
      ringId === undefined ? undefined : await keyRings.current(ringId).catch(() => undefined);
    if (kek === undefined) return;
    const writtenAtSeconds = seconds(now());
    await index.write(
      learnt.map(({ object, digest }) => {
        const place = placeOf(object);
        const entry = sealEntry(digest, place, { kek, nonce: randomBytes(NONCE_BYTES), writtenAtSeconds });
        return { name: entryName(place), entry };
      }),
    );
  }
}

/**
 * The name of an object in memory. No two share a name: tenant, bucket and ETag contain no line feed, and the key,
 * which may, comes last.
 */
function memoryName({ tenant, ref, backendEtag }: StoredIdentity): string {
  return `${tenant.name}\n${ref.bucket}\n${backendEtag}\n${ref.key}`;
}

function placeOf({ tenant, ref, backendEtag }: StoredIdentity): EtagPlace {
  return { tenant: tenant.name, bucket: ref.bucket, key: ref.key, backendEtag };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
