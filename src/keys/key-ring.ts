import { createSecretKey, type KeyObject } from 'node:crypto';
import { fingerprintOf } from './fingerprint.ts';
import { listField, type Payload, PayloadInvalid, textField } from './payload.ts';
import type { RecordKind } from './records.ts';

export const KEK_BYTES = 32;

/**
 * What may be done with a ring's keys.
 *
 * - `enabled`: they seal and open.
 * - `decrypt-only`: they open, and seal nothing new.
 * - `disabled`: they do neither until the ring is enabled again.
 * - `pending`: the ring is about to be destroyed, and they do neither.
 */
export type RingState = (typeof RING_STATES)[number];

const RING_STATES = ['enabled', 'decrypt-only', 'disabled', 'pending'] as const;

/** A key encryption key of a tenant. It wraps the DEKs in envelopes, and never encrypts bytes of bodies. */
export interface Kek {
  readonly ringId: string;
  readonly version: number;
  readonly key: KeyObject;
  /** The tenant whose ring it is on. */
  readonly tenant: string;
  /** The name of its ring; undefined for a tenant's default ring. */
  readonly name: string | undefined;
  /** The state of its ring. */
  readonly state: RingState;
  /** The key's fingerprint in this process (fingerprintOf). */
  readonly fingerprint: string;
}

/** A key ring without its keys: everything of it that may be shown. */
export interface KeyRing {
  /** 16 hex digits, which stand in every envelope. */
  readonly id: string;
  readonly tenant: string;
  /** The name by which clients ask for it; undefined for a tenant's default ring. */
  readonly name: string | undefined;
  readonly state: RingState;
  /** The version that new objects are sealed under. */
  readonly current: number;
  readonly versions: readonly KeyVersion[];
}

/** One version in a key ring, without its key. */
export interface KeyVersion {
  readonly version: number;
  readonly createdAt: Date;
}

/** A version in a key ring, with its key. */
export interface RingVersion extends KeyVersion {
  readonly key: KeyObject;
}

/** A key ring with its keys. */
export interface RingRecord extends KeyRing {
  readonly keks: ReadonlyMap<number, Kek>;
  readonly currentKek: Kek;
}

/**
 * Makes a ring of its versions.
 * @throws PayloadInvalid where a version is there twice, or the current one is not there
 */
export function makeRing({ versions, ...ring }: KeyRing & { readonly versions: readonly RingVersion[] }): RingRecord {
  const { id, tenant, name, state, current } = ring;
  const keks = new Map<number, Kek>();
  for (const { version, key } of versions) {
    keks.set(
      version,
      Object.freeze({ ringId: id, version, key, tenant, name, state, fingerprint: fingerprintOf(key) }),
    );
  }
  const currentKek = keks.get(current);
  if (currentKek === undefined || keks.size !== versions.length) throw new PayloadInvalid('versions');
  const shownVersions = versions.map(({ version, createdAt }) => ({ version, createdAt }));
  return { ...ring, versions: shownVersions, keks, currentKek };
}

/** Leaves out the keys of a ring. */
export function withoutKeys({ id, tenant, name, state, current, versions }: RingRecord): KeyRing {
  return { id, tenant, name, state, current, versions };
}

/**
 * The kind of record that holds a ring (docs/keys.md, "ring"). `name` and `state` came later: a ring without them is a
 * tenant's default ring, and enabled. They are written only where they say something else, so that rings of older
 * gateways stay as they were.
 */
export const RING: RecordKind<RingRecord> = {
  name: 'ring',
  decode(payload, id) {
    const { current } = payload;
    if (textField(payload, 'id') !== id) throw new PayloadInvalid('id');
    if (typeof current !== 'number') throw new PayloadInvalid('current');
    const versions = listField(payload, 'versions').map(decodeVersion);
    const name = payload.name === undefined ? undefined : textField(payload, 'name');
    return makeRing({ id, tenant: textField(payload, 'tenant'), name, state: decodeState(payload), current, versions });
  },
  encode: ({ id, tenant, name, state, current, versions, keks }) => ({
    id,
    tenant,
    ...(name !== undefined && { name }),
    ...(state !== 'enabled' && { state }),
    current,
    versions: versions.map(({ version, createdAt }) => ({
      version,
      createdAt: createdAt.toISOString(),
      key: keks.get(version)!.key.export().toString('base64'),
    })),
  }),
};

function decodeState({ state = 'enabled' }: Payload): RingState {
  const known = RING_STATES.find((each) => each === state);
  if (known === undefined) throw new PayloadInvalid('state');
  return known;
}

function decodeVersion(entry: Payload): RingVersion {
  const { version } = entry;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) throw new PayloadInvalid('version');
  const bytes = Buffer.from(textField(entry, 'key'), 'base64');
  if (bytes.length !== KEK_BYTES || bytes.every((byte) => byte === 0)) throw new PayloadInvalid('key');
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { version, createdAt: new Date(textField(entry, 'createdAt')), key };
}
