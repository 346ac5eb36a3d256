import { createSecretKey, randomBytes as nodeRandomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { GatewayError } from '../errors.ts';
import { isNamedRing, isNamedRingOf, NAMED_RING, namedRingId } from './key-names.ts';
import { KeyProof } from './key-proof.ts';
import {
  KEK_BYTES,
  type Kek,
  type KeyRing,
  makeRing,
  RING,
  type RingRecord,
  type RingVersion,
  withoutKeys,
} from './key-ring.ts';
import type { Records } from './records.ts';
import { keyStoreUnavailable, RevisionConflict } from './store/record-store.ts';
import { RecordUnreadable } from './wrapped-record.ts';

const RING_ID_BYTES = 8;
const RING_ID = /^[0-9a-f]{16}$/;
/** How often the store is asked at most about one ring: a forged envelope may name any version of a real ring. */
const RECHECK_MILLISECONDS = 1000;

/** Each of them takes two of the cache's entries (CacheLimits.entries). */
const MOST_WARM_KEYS = 2500;

/** There is no such key (any more). Records that cannot be read have other errors of the same code. */
export class KeyMissing extends GatewayError {
  constructor(message: string) {
    super('KeyUnavailable', message, { source: 'keys' });
    this.name = 'KeyMissing';
  }
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
  readonly #proof: KeyProof;

  constructor({ records, randomBytes, now, monotonicNow }: KeyRingsOptions) {
    this.#records = records;
    this.#randomBytes = randomBytes ?? nodeRandomBytes;
    this.#now = now ?? (() => new Date());
    this.#monotonicNow = monotonicNow ?? (() => performance.now());
    this.#proof = new KeyProof(records, this.#monotonicNow);
  }

  /**
   * Makes a ring with version 1, writes it and reads it back.
   * @throws GatewayError KeyStoreUnavailable
   */
  create(tenant: string): Promise<KeyRing> {
    return this.#create(tenant, undefined);
  }

  /**
   * Makes a ring that clients find by its name.
   * @throws RevisionConflict if the tenant has one of this name; GatewayError KeyStoreUnavailable
   */
  async createNamed(tenant: string, name: string): Promise<KeyRing> {
    const id = namedRingId(tenant, name);
    if ((await this.#records.read(NAMED_RING, id)) !== undefined) throw new RevisionConflict(id);
    // The ring is there before its name is, so that nobody finds a name without a ring.
    const ring = await this.#create(tenant, name);
    try {
      await this.#records.put(NAMED_RING, id, { tenant, name, ringId: ring.id, createdAt: this.#now() }, 'absent');
    } catch (error) {
      if (error instanceof RevisionConflict) await this.remove(ring.id);
      throw error;
    }
    return ring;
  }

  async #create(tenant: string, name: string | undefined): Promise<KeyRing> {
    const id = this.#randomBytes(RING_ID_BYTES).toString('hex');
    const version = this.#newVersion(1);
    const ring = makeRing({ id, tenant, name, state: 'enabled', current: 1, versions: [version] });
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
    const { versions, keks } = held.value;
    const version = Math.max(...keks.keys()) + 1;
    const older = versions.map((each) => ({ ...each, key: keks.get(each.version)!.key }));
    const all = [...older, this.#newVersion(version)];
    const ring = makeRing({ ...withoutKeys(held.value), current: version, versions: all });
    await this.#records.put(RING, ringId, ring, held.revision);
    return this.#readBack(ring);
  }

  /**
   * Returns the key under which new objects of this ring are sealed. It is given only while the store is known to hold
   * it: the cached ring is fresh, or the store has just confirmed it, and it is the key that the store has (KeyProof).
   * CacheLimits.staleSeconds says what counts while the store is unreachable.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable
   */
  async current(ringId: string): Promise<Kek> {
    const ring = RING_ID.test(ringId) ? await this.#records.get(RING, ringId, 'seal') : undefined;
    if (ring === undefined) throw missingRing(ringId);
    return this.#proof.prove(ring.currentKek);
  }

  /**
   * Returns the key under which new objects are sealed that ask for one of the tenant's keys by its name; undefined
   * where the tenant has no such key. The caller must look at its state.
   * @throws GatewayError KeyStoreUnavailable
   */
  async named(tenant: string, name: string): Promise<Kek | undefined> {
    const found = await this.#records.get(NAMED_RING, namedRingId(tenant, name));
    const ring = found && (await this.#records.get(RING, found.ringId, 'seal'));
    return ring?.tenant === tenant && ring.name === name ? this.#proof.prove(ring.currentKek) : undefined;
  }

  /** Returns how many named keys the tenant has. */
  async countNamed(tenant: string): Promise<number> {
    return (await this.#namesOf(tenant)).length;
  }

  /** Removes the names of the tenant's keys. The rings stay. */
  async removeNames(tenant: string): Promise<void> {
    await this.#records.deleteAll(NAMED_RING, await this.#namesOf(tenant));
  }

  /**
   * Reads named keys of all tenants into the cache, as many as it has room for beside other records. Those that were
   * removed meanwhile are skipped.
   */
  async warmNamed(): Promise<void> {
    for (const id of (await this.#records.list(NAMED_RING)).filter(isNamedRing).slice(0, MOST_WARM_KEYS)) {
      const found = await this.#records.get(NAMED_RING, id);
      const ring = found && (await this.#records.get(RING, found.ringId));
      // A request for the key says what is wrong with it.
      if (ring !== undefined) await this.#proof.prove(ring.currentKek).catch(() => undefined);
    }
  }

  async #namesOf(tenant: string): Promise<string[]> {
    return (await this.#records.list(NAMED_RING)).filter((id) => isNamedRingOf(tenant, id));
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

  /**
   * Returns all keys of a ring, the newest first.
   * @throws GatewayError KeyUnavailable if there is no such ring, KeyStoreUnavailable
   */
  async all(ringId: string): Promise<readonly Kek[]> {
    const ring = RING_ID.test(ringId) ? await this.#records.get(RING, ringId) : undefined;
    if (ring === undefined) throw missingRing(ringId);
    return [...ring.keks.values()].sort((a, b) => b.version - a.version);
  }

  /** Returns every ring without its keys, oldest first. */
  async list(): Promise<KeyRing[]> {
    const rings: KeyRing[] = [];
    for (const id of await this.#records.list(RING)) {
      const held = await this.#records.read(RING, id);
      if (held !== undefined) rings.push(withoutKeys(held.value));
    }
    return rings.sort((a, b) => createdAt(a) - createdAt(b));
  }

  /** Returns the ring without its keys, as the store holds it now. */
  async read(ringId: string): Promise<KeyRing | undefined> {
    const held = await this.#records.read(RING, ringId);
    return held && withoutKeys(held.value);
  }

  /** Destroys a ring, so that no object sealed under it can ever be opened again. Returns whether there was one. */
  remove(ringId: string): Promise<boolean> {
    return this.#records.delete(RING, ringId);
  }

  /** Destroys rings, as `remove` does each. */
  removeAll(ringIds: readonly string[]): Promise<void> {
    return this.#records.deleteAll(RING, ringIds);
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
    return withoutKeys(written);
  }
}

interface Recheck {
  readonly startedAt: number;
  readonly ring: Promise<RingRecord | undefined>;
}

function createdAt(ring: KeyRing): number {
  return ring.versions[0]?.createdAt.getTime() ?? 0;
}

function missingRing(ringId: string): GatewayError {
  const shownId = RING_ID.test(ringId) ? ringId : '(malformed id)';
  return new KeyMissing(`The key ring ${shownId} does not exist (any more).`);
}

function missingVersion(ringId: string, version: number): GatewayError {
  return new KeyMissing(`The key ring ${ringId} has no key version ${version} (any more).`);
}
