import type { ObjectContent } from '../../operations/answer.ts';
import type { GetObject } from '../../operations/operation.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { ObjectReplaced, readingAgain } from '../../store/pin.ts';
import { primed } from '../../wire/bodies/first-pull.ts';
import { judgeRead } from '../conditions/judge-read.ts';
import { planPinned, planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { type FirstAnswer, firstAnswer, identifyAnswer } from './first-answer.ts';
import { factsOf } from './object-facts.ts';
import { type OpenedContent, openContent } from './opened-content.ts';
import { type RememberedPart, rememberedPart } from './remembered-part.ts';
import { isEmpty, type Wanted, wantedOf } from './wanted-range.ts';

/**
 * The most memory that a streaming download holds: the buffers for what the backend sends (576 KiB), the segment that
 * is being opened, and the plaintext that the client has not taken yet.
 */
const STREAM_RESERVE_BYTES = 768 * 1024;

/** A GetObject that is being carried out. */
interface Reading {
  readonly operation: GetObject;
  readonly plan: ReadPlan;
  readonly context: OperationContext;
  /** Gives the reserved memory back. A streaming body calls it at its end. */
  readonly release: () => void;
}

/**
 * Answers GetObject (FORMAT.md §7), with or without a part number.
 *
 * Where the plaintext lies in the stored object is only known once the object was seen. So the first request asks for
 * the stored bytes that would hold the range if the object had been sent by a single PUT. If it was, that request is
 * the only one. If it was a multipart upload, the answer brings its envelope; then the footer is read, which tells
 * where the range lies, and another request fetches exactly those bytes, pinned to the same ETag.
 */
export function getObject(operation: GetObject, context: OperationContext): Promise<ObjectContent> {
  const { conditions, part, range } = operation;
  // `bytes=-0` asks for no bytes. A store cannot be asked for that; a HEAD gives the length that its 416 must tell.
  const looksAnyway = part !== undefined || (range?.kind === 'suffix' && range.bytes === 0);
  const plan = planRead(conditions, { etags: context.policy.etag, looksAnyway });
  return reserved(context, async (release) => {
    const remembered = rememberedPart(operation, plan, context);
    const content = remembered && (await readRemembered(remembered, context, release));
    return content ?? readingAgain(() => read({ operation, plan, context, release }));
  });
}

/**
 * Carries out a GetObject for exactly one object, which was identified before.
 * @param backendEtag the backend's ETag of that object, unquoted
 * @throws ObjectReplaced where another object is there by now, and what GET throws
 */
export function getPinned(
  operation: GetObject,
  backendEtag: string,
  context: OperationContext,
): Promise<ObjectContent> {
  const plan = planPinned(backendEtag);
  return reserved(context, (release) => read({ operation, plan, context, release }));
}

/** Reserves memory for a streaming download until its body ends, or until `work` gives an answer without a stream. */
async function reserved(
  { budget }: OperationContext,
  work: (release: () => void) => Promise<ObjectContent>,
): Promise<ObjectContent> {
  const release = budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const content = await work(release);
    if (Buffer.isBuffer(content.body)) release();
    return content;
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * Reads a part of the object whose layout is remembered. If another object is there by now, forgets the layout and
 * returns undefined.
 */
async function readRemembered(
  { operation, plan, partsCount }: RememberedPart,
  context: OperationContext,
  release: () => void,
): Promise<ObjectContent | undefined> {
  try {
    return { ...(await read({ operation, plan, context, release })), partsCount };
  } catch (error) {
    if (!(error instanceof ObjectReplaced)) throw error;
    context.formats.write.forget(operation.ref, context);
    return undefined;
  }
}

async function read(reading: Reading): Promise<ObjectContent> {
  const { operation, plan, context } = reading;
  const answer = await firstAnswer(operation, plan, context);
  return ofOneObject(answer, context, () => contentIn(answer, reading));
}

/** Identifies the object, judges the request's conditions against it, and opens the wanted bytes. */
async function contentIn(answer: FirstAnswer, reading: Reading): Promise<ObjectContent> {
  const { operation, plan, context, release } = reading;
  const { claim, content } = answer;
  try {
    const object = await identifyAnswer(answer, context);
    await judgeRead(plan, object, context);
    if (claim !== undefined && claim.code !== 'InvalidRange') throw new ObjectReplaced({ cause: claim });
    const wanted = await wantedOf(operation, object, context);
    // The store said 416, yet the object has the range. If the object is of the format that computed which stored bytes
    // to ask for, the 416 cannot have been about this object: it was replaced in between.
    const guessedIt = object.format === context.formats.write;
    if (claim !== undefined && wanted.range !== undefined && guessedIt) throw new ObjectReplaced({ cause: claim });
    if (isEmpty(wanted)) {
      return answerOf(operation, wanted, { facts: await factsOf(object, context), body: Buffer.alloc(0) });
    }
    const { range } = wanted;
    const asked = { range, wantsChecksum: operation.wantsChecksum, coming: content };
    const { facts, body } = await openContent(object, asked, context);
    if (Buffer.isBuffer(body)) return answerOf(operation, wanted, { facts, body });
    // The first bytes are opened before the status line, so a failure there is an error answer, not a broken
    // connection.
    return answerOf(operation, wanted, { facts, body: await primed(body, release) });
  } catch (error) {
    content?.discard();
    throw error;
  }
}

function answerOf(
  { overrides }: GetObject,
  { range, partsCount }: Wanted,
  { facts, body }: OpenedContent,
): ObjectContent {
  return { kind: 'ObjectContent', facts, range, partsCount, overrides, body };
}
