import type { IdentifiedObject, ObjectDetails } from '../../formats/format.ts';
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

/** Up to here an object is read and verified whole before its status line; its end then costs no extra request. */
const WHOLE_BYTES = 256 * 1024;

/** Up to here the answer's body is one buffer: thousands of slow readers of these hold little. */
const TINY_BYTES = 16 * 1024;

/** What an answer tells of an object, and its plaintext. */
export interface OpenedContent {
  readonly facts: ObjectFacts;
  readonly body: Buffer | ByteSource;
}

interface ToOpen {
  /** undefined: all of it. */
  readonly range: ByteRange | undefined;
  readonly wantsChecksum: boolean;
  /** Bytes of the object on their way; they need not hold the range. */
  readonly coming: StoredContent | undefined;
}

/**
 * Locates what is wanted of an object, and opens it.
 * @throws ObjectReplaced, GatewayError ObjectCorrupted, BackendError, and what GET throws
 */
export function openedContent(
  object: IdentifiedObject,
  asked: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const isSmall = asked.range === undefined && object.stored.storedBytes <= WHOLE_BYTES;
  return isSmall && opensWhole(object) ? opened(object, asked, context) : opening(object, asked, context);
}

type WholeObject = IdentifiedObject & Required<Pick<IdentifiedObject, 'openWhole'>>;

function opensWhole(object: IdentifiedObject): object is WholeObject {
  return object.openWhole !== undefined;
}

/** Opens a small object whole: every byte is verified before the client hears anything. */
async function opened(
  object: WholeObject,
  { coming, wantsChecksum }: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const { storedBytes } = object.stored;
  const content = await allBytes(object, coming, context);
  const stored = await collect(content.body, storedBytes, () => corrupted('The backend sent more than it announced.'));
  if (stored.length !== storedBytes) throw corrupted('The backend sent less than it announced.');
  const needsDetails = wantsChecksum || object.provenBytes === undefined || context.policy.etag === 'md5';
  const details = needsDetails ? object.detailsIn(stored) : undefined;
  const pieces = await object.openWhole(stored);
  const facts = await factsOf(object, context, { details, wantsChecksum });
  return { facts, body: object.claimedBytes <= TINY_BYTES ? joined(pieces) : each(pieces) };
}

/** Opens any other object: its plaintext comes as the client takes it. */
async function opening(
  object: IdentifiedObject,
  { range, coming, wantsChecksum }: ToOpen,
  context: OperationContext,
): Promise<OpenedContent> {
  const needsChecksum = wantsChecksum && range === undefined;
  // Where the head does not prove the length, the details are needed for that, too.
  const needsDetails = needsChecksum || object.provenBytes === undefined;
  const details: ObjectDetails | undefined = needsDetails ? await object.details() : undefined;
  const span = await object.locate(range);
  const facts = await factsOf(object, context, { details, wantsChecksum: needsChecksum });
  const whole = range === undefined;
  const content = await (whole ? allBytes(object, coming, context) : spanBytes(object, span, coming, context));
  return { facts, body: span.open(content.body, storedRangeOf(content).first) };
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** Gives each buffer's memory back once its reader asks for the next; nobody else may hold them. */
async function* each(buffers: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  for (const buffer of buffers) {
    yield buffer;
    releaseBuffer(buffer);
  }
}
