import { createSecretKey, type KeyObject, randomBytes as nodeRandomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { GatewayError } from '../errors.ts';
import { fingerprintOf } from './fingerprint.ts';
import { listField, type Payload, PayloadInvalid, textField } from './payload.ts';
import type { RecordKind, Records } from './records.ts';
import { keyStoreUnavailable } from './store/record-store.ts';
import { RecordUnreadable } from './wrapped-record.ts';

const KEK_BYTES = 32;
const RING_ID_BYTES = 8;
const RING_ID = /^[0-9a-f]{16}$/;
/** How often the store is asked at most about one ring: a forged envelope may name any version of a real ring. */
const RECHECK_MILLISECONDS = 1000;

/** A key encryption key of a tenant. It wraps the DEKs in envelopes, and never encrypts bytes of bodies. */
export interface Kek {
  readonly ringId: string;
  readonly version: number;
  readonly key: KeyObject;
  /** The tenant whose ring it is on. */
  readonly tenant: string;
  /** The key's fingerprint in this process (fingerprintOf). */
  readonly fingerprint: string;
}

/** A key ring without its keys: everything of it that may be shown. */
export interface KeyRing {
  /** 16 hex digits, which stand in every envelope. */
  readonly id: string;
  readonly tenant: string;
  /** The version that new objects are sealed under. */
  readonly current: number;
  readonly versions: readonly KeyVersion[];
}

/** One version in a key ring, without its key. */
export interface KeyVersion {
  readonly version: number;
  readonly createdAt: Date;
}

interface RingRecord extends KeyRing {
  readonly keks: ReadonlyMap<number, Kek>;
  readonly currentKek: Kek;
}

export interface KeyRingsOptions {
  readonly records: Records;
  readonly randomBytes?: (byteCount: number) => Buffer;
  readonly now?: () => Date;
  /** Returns milliseconds that never run backwards. */
  readonly monotonicNow?: () => number;
}

/** Makes key rings and gives out their keys. It gives out only keys that were read from the store. */
export class KeyRings {
  readonly #records: Records;
  readonly #randomBytes: (byteCount: number) => Buffer;
  readonly #now: () => Date;
  readonly #monotonicNow: () => number;
  readonly #rechecks = new Map<string, Recheck>();

  constructor({ records, randomBytes, now, monotonicNow }: KeyRingsOptions) {
    this.#records = records;
    this.#randomBytes = randomBytes ?? nodeRandomBytes;
    this.#now = now ?? (() => new Date());
    this.#monotonicNow = monotonicNow ?? (() => performance.now());
  }

  /**
   * Makes a ring with version 1, writes it and reads it back.
   * @throws GatewayError KeyStoreUnavailable
   */
  async create(tenant: string): Promise<KeyRing> {
    const id = this.#randomBytes(RING_ID_BYTES).toString('hex');
    const ring = makeRing({ id, tenant, current: 1, versions: [this.#newVersion(1)] });
    await this.#records.put(RING, id, ring, 'absent');
    return this.#readBack(ring);
  }

  /**
   * Makes a new current version, writes it and reads it back. Older versions still open what they protect.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable; RevisionConflict if another rotation came first
   */
  async rotate(ringId: string): Promise<KeyRing> {
    const held = await this.#records.read(RING, ringId);
    if (held === undefined) throw missingRing(ringId);
    const { tenant, versions, keks } = held.value;
    const version = Math.max(...keks.keys()) + 1;
    const older = versions.map((each) => ({ ...each, key: keks.get(each.version)!.key }));
    const ring = makeRing({ id: ringId, tenant, current: version, versions: [...older, this.#newVersion(version)] });
    await this.#records.put(RING, ringId, ring, held.revision);
    return this.#readBack(ring);
  }

  /**
   * Returns the key under which new objects of this ring are sealed. It is given only while the store is known to hold
   * it: the cached ring is fresh, or the store has just confirmed it. CacheLimits.staleSeconds says what counts while
   * the store is unreachable.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable
   */
  async current(ringId: string): Promise<Kek> {
    const ring = RING_ID.test(ringId) ? await this.#records.get(RING, ringId, 'seal') : undefined;
    if (ring === undefined) throw missingRing(ringId);
    return ring.currentKek;
  }

  /**
   * Returns the key that an existing object names.
   * @throws GatewayError KeyUnavailable if there is no such ring or version, KeyStoreUnavailable
   */
  async kek(ringId: string, version: number): Promise<Kek> {
    const ring = RING_ID.test(ringId) ? await this.#records.get(RING, ringId) : undefined;
    if (ring === undefined) throw missingRing(ringId);
    return ring.keks.get(version) ?? (await this.#recheck(ringId, version));
  }

  /** Returns every ring without its keys, oldest first. */
  async list(): Promise<KeyRing[]> {
    const rings: KeyRing[] = [];
    for (const id of await this.#records.list(RING)) {
      const held = await this.#records.read(RING, id);
      if (held !== undefined) rings.push(shown(held.value));
    }
    return rings.sort((a, b) => createdAt(a) - createdAt(b));
  }

  /** Returns the ring without its keys, as the store holds it now. */
  async read(ringId: string): Promise<KeyRing | undefined> {
    const held = await this.#records.read(RING, ringId);
    return held && shown(held.value);
  }

  /** Destroys a ring, so that no object sealed under it can ever be opened again. Returns whether there was one. */
  remove(ringId: string): Promise<boolean> {
    return this.#records.delete(RING, ringId);
  }

  /** Asks the store for a version that the cached ring lacks, because another gateway may have rotated a moment ago. */
  async #recheck(ringId: string, version: number): Promise<Kek> {
    const now = this.#monotonicNow();
    let recheck = this.#rechecks.get(ringId);
    if (recheck === undefined || now - recheck.startedAt >= RECHECK_MILLISECONDS) {
      recheck = { startedAt: now, ring: this.#records.refresh(RING, ringId) };
      this.#rechecks.set(ringId, recheck);
      recheck.ring.catch(() => this.#rechecks.delete(ringId));
    }
    const kek = (await recheck.ring)?.keks.get(version);
    if (kek === undefined) throw missingVersion(ringId, version);
    return kek;
  }

  #newVersion(version: number): RingVersion {
    const bytes = this.#randomBytes(KEK_BYTES);
    const key = createSecretKey(bytes);
    bytes.fill(0);
    return { version, createdAt: this.#now(), key };
  }

  /** Reads a ring back, so that no object is sealed under a key that the store did not keep. */
  async #readBack(written: RingRecord): Promise<KeyRing> {
    const held = await this.#records.read(RING, written.id).catch((error: unknown) => {
      if (!(error instanceof RecordUnreadable)) throw error;
      return undefined;
    });
    const stored = held?.value.keks.get(written.current);
    if (stored === undefined || !stored.key.equals(written.currentKek.key)) {
      throw keyStoreUnavailable(
        new Error(`ring/${written.id} was written and not read back`),
        `The key store took the record ring/${written.id} and did not give it back. No object was sealed under it.`,
      );
    }
    return shown(written);
  }
}

interface Recheck {
  readonly startedAt: number;
  readonly ring: Promise<RingRecord | undefined>;
}

interface RingVersion extends KeyVersion {
  readonly key: KeyObject;
}

interface RingParts {
  readonly id: string;
  readonly tenant: string;
  readonly current: number;
  readonly versions: readonly RingVersion[];
}

function makeRing({ id, tenant, current, versions }: RingParts): RingRecord {
  const keks = new Map<number, Kek>();
  for (const { version, key } of versions) {
    keks.set(version, Object.freeze({ ringId: id, version, key, tenant, fingerprint: fingerprintOf(key) }));
  }
  const currentKek = keks.get(current);
  if (currentKek === undefined || keks.size !== versions.length) throw new PayloadInvalid('versions');
  const shownVersions = versions.map(({ version, createdAt }) => ({ version, createdAt }));
  return { id, tenant, current, versions: shownVersions, keks, currentKek };
}

/** The kind of record that holds a ring (docs/keys.md, "ring"). */
export const RING: RecordKind<RingRecord> = {
  name: 'ring',
  decode(payload, id) {
    const { current } = payload;
    if (textField(payload, 'id') !== id) throw new PayloadInvalid('id');
    if (typeof current !== 'number') throw new PayloadInvalid('current');
    const versions = listField(payload, 'versions').map(decodeVersion);
    return makeRing({ id, tenant: textField(payload, 'tenant'), current, versions });
  },
  encode: ({ id, tenant, current, versions, keks }) => ({
    id,
    tenant,
    current,
    versions: versions.map(({ version, createdAt }) => ({
      version,
      createdAt: createdAt.toISOString(),
      key: keks.get(version)!.key.export().toString('base64'),
    })),
  }),
};

function decodeVersion(entry: Payload): RingVersion {
  const { version } = entry;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw new PayloadInvalid('version');
  const bytes = Buffer.from(textField(entry, 'key'), 'base64');
  if (bytes.length !== KEK_BYTES || bytes.every((byte) => byte === 0)) throw new PayloadInvalid('key');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { version, createdAt: new Date(textField(entry, 'createdAt')), key };
}

function shown({ id, tenant, current, versions }: RingRecord): KeyRing {
  return { id, tenant, current, versions };
}

function createdAt(ring: KeyRing): number {
  return ring.versions[0]?.createdAt.getTime() ?? 0;
}

function missingRing(ringId: string): GatewayError {
  const shownId = RING_ID.test(ringId) ? ringId : '(malformed id)';
  return new GatewayError('KeyUnavailable', `The key ring ${shownId} does not exist (any more).`, { source: 'keys' });
}

function missingVersion(ringId: string, version: number): GatewayError {
  return new GatewayError('KeyUnavailable', `The key ring ${ringId} has no key version ${version} (any more).`, {
    source: 'keys',
  });
}
