import { crc64Of } from '../../checksums/crc64.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import { corrupted } from '../../formats/refusals.ts';
import { releaseBuffer } from '../../memory/release.ts';
import type { ObjectFacts } from '../../operations/object.ts';
import type { StoredContent } from '../../store/store.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { factsOf } from './object-facts.ts';
import { allBytes, spanBytes, storedRangeOf } from './stored-bytes.ts';
import { learningCrc64 } from './told-crc64.ts';

/**
 * Objects of up to this many stored bytes are read and verified whole before the status line is sent. Their footers
 * then cost no request of their own.
 */
const WHOLE_BYTES = 256 * 1024;

/**
 * Objects of up to this many bytes of plaintext are answered from one buffer, which may stay in memory as long as its
 * reader is slow: even thousands of slow readers hold little.
 */
const TINY_BYTES = 16 * 1024;

/** What an answer tells about an object, and the plaintext that it brings. */
export interface OpenedContent {
  readonly facts: ObjectFacts;
  readonly body: Buffer | ByteSource;
}

interface ToOpen {
  /** The range of plaintext; undefined stands for the whole object. */
  readonly range: ByteRange | undefined;
  readonly wantsChecksum: boolean;
  /** Stored bytes that are arriving already. They are used if they hold the range. */
  readonly coming: StoredContent | undefined;
}

/**
 * Finds the stored bytes that hold the wanted range of an object, and opens them.
 * @throws ObjectReplaced, GatewayError ObjectCorrupted, BackendError, and what GET throws
 */
export function openContent(
  object: IdentifiedObject,
  asked: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const isSmall = asked.range === undefined && object.stored.storedBytes <= WHOLE_BYTES;
  return isSmall && canOpenWhole(object) ? openWholeObject(object, asked, context) : openStream(object, asked, context);
}

type WholeObject = IdentifiedObject & Required<Pick<IdentifiedObject, 'openWhole'>>;

function canOpenWhole(object: IdentifiedObject): object is WholeObject {
  return object.openWhole !== undefined;
}

/** Reads and opens a small object. Every byte of it is verified before the client is sent anything. */
async function openWholeObject(
  object: WholeObject,
  { coming, wantsChecksum }: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const { storedBytes } = object.stored;
  const content = await allBytes(object, coming, context);
  const stored = await collect(content.body, storedBytes, () => corrupted('The backend sent more than it announced.'));
  if (stored.length !== storedBytes) throw corrupted('The backend sent less than it announced.');
  const { crc64, policy } = context;
  const isLongAtEnd = object.provenBytes === undefined;
  const needsDetails = wantsChecksum || isLongAtEnd || policy.etag === 'md5' || crc64 === 'told';
  const details = needsDetails ? object.detailsIn(stored) : undefined;
  const pieces = await object.openWhole(stored);
  const facts = await factsOf(object, context, { details, wantsChecksum, crc64: () => crc64Of(pieces) });
  return { facts, body: object.claimedBytes <= TINY_BYTES ? joined(pieces) : each(pieces) };
}

/** Opens a range of an object, or a large object, as a stream: segments are opened as the client takes them. */
async function openStream(
  object: IdentifiedObject,
  { range, coming, wantsChecksum }: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const needsChecksum = wantsChecksum && range === undefined;
  // Where the envelope does not prove the length, the details do.
  const needsDetails = needsChecksum || object.provenBytes === undefined;
  const details: ObjectDetails | undefined = needsDetails ? await object.details() : undefined;
  const span = await object.locate(range);
  const facts = await factsOf(object, context, { details, wantsChecksum: needsChecksum });
  const whole = range === undefined;
  const content = await (whole ? allBytes(object, coming, context) : spanBytes(object, span, coming, context));
  const body = span.open(content.body, storedRangeOf(content).first);
  const learns = whole && context.crc64 === 'told' && facts.crc64 === undefined;
  return { facts, body: learns ? learningCrc64(body, object, context) : body };
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** Yields buffers, and frees the memory of each when its reader asks for the next. Nobody else may hold the buffers. */
async function* each(buffers: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  for (const buffer of buffers) {
    yield buffer;
    releaseBuffer(buffer);
  }
}
