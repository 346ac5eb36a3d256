import { LRUCache } from 'lru-cache';
import type { Kek, KeyRings } from '../keys/key-rings.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { type EtagPlace, entryName, type KnownDigest, openEntry, readEntryHead, sealEntry } from './etag-entry.ts';
import type { EtagIndex } from './etag-index.ts';

/** Beside its name: two buffers, an object, and what a Map and a list of uses take. */
const BYTES_AN_ENTRY = 400;
const NONCE_BYTES = 12;

/** Where what an ETag is shown as was found. `footer`: by a request to the backend. */
export type EtagSource = 'memory' | 'index' | 'footer';

export interface EtagObserver {
  etagsFound(source: EtagSource, count: number): void;
}

export interface KnownEtagsOptions {
  /** Never throws: restingIndex(). */
  readonly index: EtagIndex;
  readonly keyRings: Pick<KeyRings, 'current' | 'kek'>;
  readonly memoryBytes: number;
  /** How long the index keeps an entry. */
  readonly keepSeconds: number;
  readonly now: () => Date;
  readonly randomBytes: (bytes: number) => Buffer;
  readonly observer: EtagObserver;
}

/** One stored object: whose, where, and which by the backend's ETag. */
export type StoredIdentity = { readonly tenant: Tenant; readonly ref: ObjectRef; readonly backendEtag: string };

/**
 * What objects of buckets with MD5 ETags are shown as, as far as it is known without asking the backend: in this
 * process's memory, and behind it in the index that all gateways share. What is known of a stored object never changes,
 * since another object has another backend ETag. Nothing here is authoritative, and nothing here fails: an object of
 * which nothing is known has a footer that says it.
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

  /** In the order of the objects, by one turn of the index for all that memory does not hold. */
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
    // What is in use stays: written again once in half its time, and not at every look.
    if (aged.length > 0) void this.#write(aged);
    return found;
  }

  /** Of one object, from memory alone. */
  recall(object: StoredIdentity): KnownDigest | undefined {
    const digest = this.#memory.get(memoryName(object));
    if (digest !== undefined) this.#options.observer.etagsFound('memory', 1);
    return digest;
  }

  /**
   * Remembers what was written or what a footer said. Settles once the index has it, or has failed to: whoever hears
   * of a write afterwards finds it there through every gateway. Never rejects.
   */
  async learn(object: StoredIdentity, digest: KnownDigest): Promise<void> {
    // Buffers of a footer or a body are views of much larger memory.
    const own = { ...digest, md5: digest.md5 && Buffer.from(digest.md5), oid: Buffer.from(digest.oid) };
    this.#memory.set(memoryName(object), own);
    await this.#write([{ object, digest: own }]);
  }

  /** A footer was read for it. */
  countFooter(): void {
    this.#options.observer.etagsFound('footer', 1);
  }

  /** An entry under a key that is gone or cannot be had now is none. */
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

/** Injective: neither tenants, buckets nor ETags hold a line feed, and the key, which may, comes last. */
function memoryName({ tenant, ref, backendEtag }: StoredIdentity): string {
  return `${tenant.name}\n${ref.bucket}\n${backendEtag}\n${ref.key}`;
}

function placeOf({ tenant, ref, backendEtag }: StoredIdentity): EtagPlace {
  return { tenant: tenant.name, bucket: ref.bucket, key: ref.key, backendEtag };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
