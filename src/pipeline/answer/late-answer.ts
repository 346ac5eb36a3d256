import { setTimeout as delay } from 'node:timers/promises';
import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { Operation } from '../../operations/operation.ts';
import type { WireResponse } from '../../wire/message.ts';

/** How long an answer may take before it is begun without its outcome, and how often it then shows that it is coming. */
export interface Lateness {
  readonly patienceSeconds: number;
  readonly beatSeconds: number;
}

/** Nearly all are done within; clients give up after 50 to 60 s without a byte, some load balancers after 30. */
export const LATENESS: Lateness = { patienceSeconds: 10, beatSeconds: 10 };

/** An object's bytes are moved before these are answered, or thousands of parts listed. */
const SLOW: ReadonlySet<Operation['kind']> = new Set(['CopyObject', 'CompleteMultipartUpload', 'UploadPartCopy']);

export function mayBeLate({ kind }: Operation): boolean {
  return SLOW.has(kind);
}

/**
 * The answer with its own status where it comes in time; else one that is begun now and ends with what `settled`
 * brings. SDKs look for an error in such a 200, because S3 answers so.
 * @param settled never rejects: a failure is an answer too
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

/** Keeps no process alive. */
function passed(seconds: number): Promise<undefined> {
  return delay(seconds * 1_000, undefined, { ref: false });
}
