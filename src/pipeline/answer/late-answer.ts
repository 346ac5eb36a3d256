import { setTimeout as delay } from 'node:timers/promises';
import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { Operation } from '../../operations/operation.ts';
import type { WireResponse } from '../../wire/message.ts';

/** When the gateway begins an answer before its outcome is known, so that clients do not give up waiting. */
export interface Lateness {
  /** How long an answer may take before it is begun. */
  readonly patienceSeconds: number;
  /** How often a blank is then sent until the outcome is known. */
  readonly beatSeconds: number;
}

/**
 * Nearly all operations are done within 10 s. Clients give up after 50 to 60 s without a byte, some load balancers
 * after 30 s.
 */
export const LATENESS: Lateness = { patienceSeconds: 10, beatSeconds: 10 };

/** The operations that may take long, because they move an object's bytes or list thousands of parts. */
const SLOW: ReadonlySet<Operation['kind']> = new Set(['CopyObject', 'CompleteMultipartUpload', 'UploadPartCopy']);

/** Whether an operation may take so long that its answer has to begin before its outcome is known. */
export function mayBeLate({ kind }: Operation): boolean {
  return SLOW.has(kind);
}

/**
 * Returns the answer if it is there within `patienceSeconds`. Otherwise returns one that begins with status 200 at once
 * and whose document, once `settled` resolves, may be an error. SDKs look for an error in such a 200, because S3 itself
 * answers CopyObject and CompleteMultipartUpload in this way.
 * @param settled the answer, which may be an error's. It must not reject.
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

/** Resolves after some seconds. Its timer does not keep the process alive. */
function passed(seconds: number): Promise<undefined> {
  return delay(seconds * 1_000, undefined, { ref: false });
}
