import type { ObjectContent } from '../../operations/answer.ts';
import type { GetObject } from '../../operations/operation.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { ObjectReplaced, readingAgain } from '../../store/pin.ts';
import { primed } from '../../wire/bodies/first-pull.ts';
import { judgeRead } from '../conditions/judge-read.ts';
import { planPinned, planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { type FirstAnswer, firstAnswer, identified } from './first-answer.ts';
import { factsOf } from './object-facts.ts';
import { type OpenedContent, openedContent } from './opened-content.ts';
import { type RememberedPart, rememberedPart } from './remembered-part.ts';
import { isEmpty, type Wanted, wantedOf } from './wanted-range.ts';

/**
 * What a streaming download holds at most: the buffers that the backend is read into (576 KiB), the segment that is opened,
 * and what of it is on its way to the client.
 */
const STREAM_RESERVE_BYTES = 768 * 1024;

/** A read under way. */
interface Reading {
  readonly operation: GetObject;
  readonly plan: ReadPlan;
  readonly context: OperationContext;
  /** Gives the reserved memory back; a body does it at its end. */
  readonly release: () => void;
}

/**
 * Answers GetObject (FORMAT.md §7), also of one part. The first request is made as if the object were one that was sent in
 * one go, which for those is the only one. A multipart object answers it with its envelope; then its end tells where the
 * plaintext lies, and a second request, pinned to the same ETag, fetches just that.
 */
export function getObject(operation: GetObject, context: OperationContext): Promise<ObjectContent> {
  const { conditions, part, range } = operation;
  // A range of no bytes cannot be asked for, nor satisfied.
  const looksAnyway = part !== undefined || (range?.kind === 'suffix' && range.bytes === 0);
  const plan = planRead(conditions, { etags: context.policy.etag, looksAnyway });
  return reserved(context, async (release) => {
    const remembered = rememberedPart(operation, plan, context);
    const content = remembered && (await readRemembered(remembered, context, release));
    return content ?? readingAgain(() => read({ operation, plan, context, release }));
  });
}

/**
 * Reads exactly one object, which was identified before, as a GetObject does.
 * @param backendEtag the object's, unquoted
 * @throws ObjectReplaced where another object lies there by now
 */
export function getPinned(
  operation: GetObject,
  backendEtag: string,
  context: OperationContext,
): Promise<ObjectContent> {
  const plan = planPinned(backendEtag);
  return reserved(context, (release) => read({ operation, plan, context, release }));
}

/** Reserves the memory of a streaming download until its body has ended, or until there is an answer without one. */
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

/** Reads a part of the object that is remembered. Where another object lies there by now, it is forgotten: undefined. */
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

/** Identifies the object of the first answer, judges the conditions of it, and opens it as far as its first bytes. */
async function contentIn(answer: FirstAnswer, reading: Reading): Promise<ObjectContent> {
  const { operation, plan, context, release } = reading;
  const { claim, content } = answer;
  try {
    const object = await identified(answer, context);
    await judgeRead(plan, object, context);
    if (claim !== undefined && claim.code !== 'InvalidRange') throw new ObjectReplaced({ cause: claim });
    const wanted = await wantedOf(operation, object, context);
    // The format that guessed where the range lies cannot have led past the end of its own object: it was replaced.
    const guessedIt = object.format === context.formats.write;
    if (claim !== undefined && wanted.range !== undefined && guessedIt) throw new ObjectReplaced({ cause: claim });
    if (isEmpty(wanted)) {
      return answerOf(operation, wanted, { facts: await factsOf(object, context), body: Buffer.alloc(0) });
    }
    const { range } = wanted;
    const asked = { range, wantsChecksum: operation.wantsChecksum, coming: content };
    const { facts, body } = await openedContent(object, asked, context);
    if (Buffer.isBuffer(body)) return answerOf(operation, wanted, { facts, body });
    // What fails at the first bytes is still an error answer, and not a broken connection.
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
