import { setTimeout as delay } from 'node:timers/promises';
import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { Operation } from '../../operations/operation.ts';
import type { WireResponse } from '../../wire/message.ts';

/**
 * After how many seconds an answer is begun although its outcome is not known, and how often it then sends a sign of
 * life.
 */
export interface Lateness {
  readonly patienceSeconds: number;
  readonly beatSeconds: number;
}

/**
 * Nearly all operations end within this time. Clients give up after 50 to 60 s without a byte, some load balancers
 * after 30.
 */
export const LATENESS: Lateness = { patienceSeconds: 10, beatSeconds: 10 };

/** Operations that move an object's bytes, or list thousands of parts, before they are answered. */
const SLOW: ReadonlySet<Operation['kind']> = new Set(['CopyObject', 'CompleteMultipartUpload', 'UploadPartCopy']);

export function mayBeLate({ kind }: Operation): boolean {
  return SLOW.has(kind);
}

/**
 * Returns the answer with its own status if it comes in time. If not, it returns an answer that begins now, with status
 * 200, and ends with what `settled` resolves to. SDKs look for an error in such a 200, because S3 does the same.
 * @param settled never rejects, because a failure is rendered as an answer too
 */
export async function inTime(
  settled: Promise<WireResponse>,
  front: FrontDialect,
  context: RenderContext,
  { patienceSeconds, beatSeconds }: Lateness,
): Promise<WireResponse> {
  if (front.renderLate === undefined) return settled;
  const answer = await Promise.race([settled, passed(patienceSeconds)]);
  return answer ?? front.renderLate(settled, () => passed(beatSeconds), context);
}

/** Resolves after this many seconds. It does not keep the process alive. */
function passed(seconds: number): Promise<undefined> {
  return delay(seconds * 1_000, undefined, { ref: false });
}
