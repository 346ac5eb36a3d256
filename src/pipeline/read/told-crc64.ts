import { crc64OfPieces, startCrc64 } from '../../checksums/crc64.ts';
import { passing } from '../../checksums/digest.ts';
import { GatewayError } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced } from '../../store/pin.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { OperationContext } from '../context.ts';
import { digestIn } from '../etags/shown-etag.ts';
import { allBytes, storedRangeOf } from './stored-bytes.ts';

/**
 * The largest object, in bytes of plaintext, that is read whole because its CRC-64 is asked for and was never computed.
 * A larger one has no CRC-64 until a client reads all of it.
 */
const FIRST_READ_BYTES = 64 * 1024 * 1024;

/** The memory that such a reading takes, as that of a download does. */
const READ_RESERVE_BYTES = 768 * 1024;

/**
 * The CRC-64/XZ of an object, where the request's dialect tells it; undefined elsewhere, and where it is not known.
 *
 * It is looked for in memory and in the index of ETags, then in the object's footer. An object that was written before
 * anybody asked for CRC-64s is read whole if it is small enough. What was found is remembered.
 * @param known what the caller has of the object already: its details, or its plaintext
 * @throws ObjectReplaced, and what GET throws
 */
export async function toldCrc64(
  object: IdentifiedObject,
  context: OperationContext,
  known: { readonly details?: ObjectDetails | undefined; readonly compute?: (() => Buffer) | undefined } = {},
): Promise<Buffer | undefined> {
  if (context.crc64 !== 'told') return undefined;
  const remembered = await rememberedCrc64(object, context, known.details);
  if (remembered !== undefined) return remembered;
  try {
    if (known.details === undefined && object.id !== undefined) context.etags.countFooter();
    const details = known.details ?? (await object.details());
    const crc64 = (await crc64In(details)) ?? (await computed(object, context, known.compute));
    if (crc64 !== undefined) learnCrc64(object, crc64, details, context);
    return crc64;
  } catch (error) {
    // An archived object cannot be read. What is wrong with a damaged one is told to those who want its bytes.
    if (error instanceof GatewayError && SAYS_NOTHING.has(error.code)) return undefined;
    throw error;
  }
}

const SAYS_NOTHING: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'InvalidObjectState',
  'ObjectCorrupted',
]);

/** What an object's details say of its CRC-64. */
export async function crc64In({ crc64, parts }: ObjectDetails): Promise<Buffer | undefined> {
  return crc64 ?? (parts && crc64OfPieces(parts));
}

/**
 * The CRC-64 of an object that was just written, where the writing did not tell it. The write stands whatever happens
 * here, so what goes wrong leaves the CRC-64 out.
 */
export async function crc64AfterWrite(
  ref: ObjectRef,
  backendEtag: string,
  context: OperationContext,
): Promise<Buffer | undefined> {
  if (context.crc64 !== 'told') return undefined;
  try {
    const stored = await context.store.head({ ref, conditions: { ifMatch: `"${backendEtag}"` } }, context.signal);
    return await toldCrc64(await context.formats.identify({ ref, stored }, context), context);
  } catch (error) {
    if (error instanceof GatewayError || error instanceof ObjectReplaced) return undefined;
    throw error;
  }
}

/** Computes the CRC-64 of an object while a client reads all of it, and remembers it at the end. */
export async function* learningCrc64(
  plaintext: ByteSource,
  object: IdentifiedObject,
  context: OperationContext,
): AsyncGenerator<Buffer, void, void> {
  const digest = startCrc64();
  yield* passing(plaintext, digest);
  const crc64 = digest.digest();
  // The client has its bytes by now, so that this must not fail.
  const details = await Promise.resolve(object.details()).catch(() => undefined);
  if (details !== undefined) learnCrc64(object, crc64, details, context);
}

async function rememberedCrc64(
  object: IdentifiedObject,
  { etags, tenant }: OperationContext,
  details: ObjectDetails | undefined,
): Promise<Buffer | undefined> {
  const { id, ref, stored } = object;
  if (isUnderClientsKey(object)) return undefined;
  const identity = { tenant, ref, backendEtag: stored.etag };
  const known = details === undefined ? (await etags.find([identity]))[0] : etags.recall(identity);
  // The store may give two objects the same ETag. The id tells them apart.
  const same = id === undefined ? known?.plain === true : known?.plain === false && known.oid.equals(id);
  return same ? known?.crc64 : undefined;
}

function learnCrc64(
  object: IdentifiedObject,
  crc64: Buffer,
  details: ObjectDetails,
  { etags, tenant }: OperationContext,
): void {
  const { id, ref, stored, encryption } = object;
  if (isUnderClientsKey(object)) return;
  const digest = digestIn({ ...details, crc64 }, id, encryption);
  void etags.learn({ tenant, ref, backendEtag: stored.etag }, digest);
}

/** What is known of an object that only its client can open goes to no index, and is remembered nowhere. */
function isUnderClientsKey({ encryption }: IdentifiedObject): boolean {
  return encryption?.kind === 'customer';
}

async function computed(
  object: IdentifiedObject,
  context: OperationContext,
  compute: (() => Buffer) | undefined,
): Promise<Buffer | undefined> {
  if (compute !== undefined) return compute();
  if (object.claimedBytes > FIRST_READ_BYTES) return undefined;
  const digest = startCrc64();
  if (object.claimedBytes === 0 && object.id === undefined) return digest.digest();
  const release = context.budget.reserve(READ_RESERVE_BYTES);
  try {
    const span = await object.locate(undefined);
    const content = await allBytes(object, undefined, context);
    for await (const piece of span.open(content.body, storedRangeOf(content).first)) digest.update(piece);
    return digest.digest();
  } finally {
    release();
  }
}
