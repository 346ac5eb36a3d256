import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../errors.ts';
import { allKeysOf } from '../../operations/listing.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { OutgoingBody } from '../../wire/message.ts';
import type { Store } from '../store.ts';
import type { Evidence } from './evidence.ts';

/** Where a probe may write: keys that begin with `prefix`, in a bucket that holds no tenant's data. */
export interface ProbePlace {
  readonly store: Store;
  readonly bucket: string;
  /** A prefix of this look alone, which ends in a slash. */
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/** A condition with an ETag that no probe's object has. */
const ANOTHER = { ifMatch: '"00000000000000000000000000000001"' } as const;
const ANY = { ifNoneMatch: '*' } as const;

/**
 * The size of the upload that breaks off: more than sockets and servers buffer, so that its beginning reaches the
 * store's disk.
 */
const TORN_BYTES = 2 * 1024 * 1024;
/** How many keys of probes are listed: as many as a store lists in one page. */
export const MOST_KEYS = 1000;
/** How long a store may take to notice that nothing more of an upload comes. */
export const TORN_MILLISECONDS = 1500;
const LOOK_MILLISECONDS = 100;
/**
 * How long a store has to refuse an upload by its head alone. An upload that it refuses does not break off, and shows
 * nothing.
 */
const REFUSAL_MILLISECONDS = 250;

/** The codes with which a store refuses a write that a condition forbids. */
const REFUSALS: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'PreconditionFailed',
  'ConditionalRequestConflict',
  'NotImplemented',
]);

/** The codes with which a store says that it has no such upload, or not its parts. */
const NO_UPLOAD: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchUpload',
  'NoSuchKey',
  'InvalidPart',
]);

/**
 * Tries what PutObject does with conditions.
 * @param key a key of this probe alone, where an object lies afterwards
 */
export async function tryPuts(place: ProbePlace, key: string): Promise<Evidence> {
  const first = await put(place, key, 1);
  for (const conditions of [ANY, ANOTHER]) {
    const refused = await isRefused(put(place, key, 2, conditions));
    if (!refused || (await etagAt(place, key)) !== first) return { conditionalPuts: 'broken' };
  }
  const replaced = !(await isRefused(put(place, key, 3, { ifMatch: `"${first}"` })));
  return { conditionalPuts: 'holds', matchesOwnEtag: replaced ? 'holds' : 'broken' };
}

/**
 * Tries what CompleteMultipartUpload does with conditions.
 * @param key a key where an object lies
 */
export async function tryCompletes(place: ProbePlace, key: string): Promise<Evidence> {
  const { store, signal } = place;
  const there = await etagAt(place, key);
  const { upload, parts } = await startUpload(place, key);
  try {
    for (const conditions of [ANY, ANOTHER]) {
      const refused = await isRefused(store.uploads.complete(upload, { parts, conditions }, signal));
      if (!refused || (await etagAt(place, key)) !== there) return { conditionalCompletes: 'broken' };
    }
    return { conditionalCompletes: 'holds' };
  } finally {
    await store.uploads.abort(upload, signal).catch(() => undefined);
  }
}

/**
 * Tries whether the Complete of an aborted upload is acknowledged.
 * @param key a key where an object lies
 */
export async function tryAbortedComplete(place: ProbePlace, key: string): Promise<Evidence> {
  const { store, signal } = place;
  const { upload, parts } = await startUpload(place, key);
  await store.uploads.abort(upload, signal);
  try {
    await store.uploads.complete(upload, { parts, conditions: {} }, signal);
    return { truthfulCompletes: 'broken' };
  } catch (error) {
    if (!(error instanceof GatewayError) || !NO_UPLOAD.has(error.code)) throw error;
    return { truthfulCompletes: 'holds' };
  }
}

/**
 * Tries what deletions do with If-Match.
 * @param key a key where an object lies, which may be gone afterwards
 */
export async function tryDeletes({ store, bucket, signal }: ProbePlace, key: string): Promise<Evidence> {
  const ref = { bucket, key };
  const there = (await store.head({ ref, conditions: {} }, signal)).etag;
  const place = { store, bucket, signal };
  if (!(await isRefused(store.delete(ref, ANOTHER, signal))) || (await etagAt(place, key)) !== there) {
    return { conditionalDeletes: 'broken' };
  }
  const { failures } = await store.deleteMany(bucket, [{ key, etag: ANOTHER.ifMatch }], signal);
  if (failures.length === 0 || (await etagAt(place, key)) !== there) return { conditionalDeletes: 'broken' };
  const deleted = !(await isRefused(store.delete(ref, { ifMatch: `"${there}"` }, signal)));
  return { conditionalDeletes: deleted ? 'holds' : 'broken' };
}

/**
 * Tries whether `/a` is another key than `a`.
 * @param key a key where an object lies
 */
export async function tryFirstSlash(place: ProbePlace, key: string): Promise<Evidence> {
  return { distinctFirstSlash: (await etagAt(place, `/${key}`)) === undefined ? 'holds' : 'broken' };
}

/**
 * Tries whether keys with `.`, `..` and empty names stay as they are. In a store of paths, they lead to keys below the
 * probe's own prefix.
 */
export async function tryVerbatimKeys(place: ProbePlace): Promise<Evidence> {
  const { store, bucket, prefix, signal } = place;
  const keys = [`${prefix}d/./v`, `${prefix}d/../v`, `${prefix}d//v`];
  try {
    for (const [at, key] of keys.entries()) await put(place, key, at + 1);
    const { entries } = await store.list(allKeysOf(bucket, { prefix, maxKeys: MOST_KEYS }), signal);
    const listed = new Set(entries.map(({ key }) => key));
    const strays = await Promise.all([`${prefix}d/v`, `${prefix}v`].map((key) => etagAt(place, key)));
    const kept = keys.every((key) => listed.has(key)) && strays.every((etag) => etag === undefined);
    return { verbatimKeys: kept ? 'holds' : 'broken' };
  } catch (error) {
    if (!(error instanceof GatewayError) || isAway(error)) throw error;
    return { verbatimKeys: 'broken' };
  }
}

/**
 * Tries whether an object that the store is asked to encrypt lies there in clear.
 * @param key a key of this probe alone
 */
export async function tryEncryption({ store, bucket, signal }: ProbePlace, key: string): Promise<Evidence> {
  const asked = { ref: { bucket, key }, conditions: {} };
  const put = { ...asked, metadata: NO_METADATA, body: Buffer.from('?'), encryption: { kind: 'managed' } } as const;
  try {
    await store.put(put, signal);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return isAway(error) ? {} : { heedsEncryption: 'holds' };
  }
  const { encryptedAs } = await store.head(asked, signal);
  return { heedsEncryption: encryptedAs === undefined ? 'broken' : 'holds' };
}

/**
 * Tries whether an object survives an upload to its place that breaks off. If it does, this takes `tornMilliseconds`.
 */
export async function tryTornUpload(place: ProbePlace, key: string, tornMilliseconds: number): Promise<Evidence> {
  const there = await put(place, key, 1);
  const body = { bytes: TORN_BYTES, source: brokenOff(Buffer.alloc(TORN_BYTES / 2)) };
  const { store, bucket, signal } = place;
  const tornOff = await store.put({ ref: { bucket, key }, metadata: NO_METADATA, conditions: {}, body }, signal).then(
    () => false,
    (error: unknown) => {
      if (error instanceof TornOff) return true;
      throw error; // it was refused for another reason, so nothing was tried
    },
  );
  if (!tornOff) return {};
  for (let waited = 0; ; waited += LOOK_MILLISECONDS) {
    if ((await etagAt(place, key)) !== there) return { tornUploadsVanish: 'broken' };
    if (waited >= tornMilliseconds) return { tornUploadsVanish: 'holds' };
    await sleep(LOOK_MILLISECONDS, undefined, { signal });
  }
}

/** Whether the store does not answer or is too busy, which shows nothing about what it does. */
export function isAway(error: unknown): boolean {
  return error instanceof GatewayError && AWAY.has(error.code);
}

const AWAY: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'BackendUnavailable',
  'SlowDown',
  'RequestTimeout',
]);

const NO_METADATA: ObjectMetadata = { content: {}, user: [] };

/**
 * Writes an object.
 * @returns its ETag
 */
async function put({ store, bucket, signal }: ProbePlace, key: string, bytes: number, conditions: Conditions = {}) {
  const body: OutgoingBody = Buffer.alloc(bytes, 'sealgate');
  return (await store.put({ ref: { bucket, key }, metadata: NO_METADATA, conditions, body }, signal)).etag;
}

/**
 * Looks up an object's ETag.
 * @returns undefined if there is no object
 */
async function etagAt({ store, bucket, signal }: Pick<ProbePlace, 'store' | 'bucket' | 'signal'>, key: string) {
  const ref: ObjectRef = { bucket, key };
  try {
    return (await store.head({ ref, conditions: {} }, signal)).etag;
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'NoSuchKey') return undefined;
    throw error;
  }
}

async function startUpload(place: ProbePlace, key: string) {
  const { store, bucket, signal } = place;
  const upload = await store.uploads.create({ bucket, key }, NO_METADATA, signal);
  try {
    const part = await store.uploads.putPart(upload, { partNumber: 1, body: Buffer.alloc(4, 'part') }, signal);
    return { upload, parts: [part] };
  } catch (error) {
    await store.uploads.abort(upload, signal).catch(() => undefined);
    throw error;
  }
}

/**
 * Whether a condition was the reason of a refusal.
 * @throws GatewayError if the refusal has another reason
 */
async function isRefused(asked: Promise<unknown>): Promise<boolean> {
  try {
    await asked;
    return false;
  } catch (error) {
    if (error instanceof GatewayError && REFUSALS.has(error.code)) return true;
    throw error;
  }
}

async function* brokenOff(beginning: Buffer): AsyncGenerator<Buffer, void, void> {
  yield beginning;
  await sleep(REFUSAL_MILLISECONDS);
  throw new TornOff();
}

class TornOff extends Error {
  override readonly name = 'TornOff';
}
