import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
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
const SLOW: ReadonlySet<Operation['kind']> = new Set([
  'CopyObject',
  'MoveObject',
  'CompleteMultipartUpload',
  'UploadPartCopy',
]);

/** Whether an operation may take so long that its answer has to begin before its outcome is known. */
export function mayBeLate({ kind }: Operation): boolean {
  return SLOW.has(kind);
}

/**
 * Returns the answer if it is there within `patienceSeconds`. Otherwise returns one that begins with status 200 at once
 * and whose document, once `settled` resolves, may be an error. SDKs look for an error in such a 200, because S3 itself
 * answers CopyObject and CompleteMultipartUpload in this way.
 * @param settled the answer, which may be an error's. It must not reject.
 * @param context `foretold` gives what is known by now of the encryption that the answer will tell
 */
export async function inTime(
  settled: Promise<WireResponse>,
  front: FrontDialect,
  context: RenderContext & { readonly foretold: () => EncryptionFacts | undefined },
  { patienceSeconds, beatSeconds }: Lateness,
): Promise<WireResponse> {
  if (front.renderLate === undefined) return settled;
  const answer = await within(patienceSeconds, settled);
  if (answer !== undefined) return answer;
  const over = settled.then(() => undefined);
  const beat = () => within(beatSeconds, over);
  return front.renderLate(settled, beat, { ...context, encryption: context.foretold() });
}

/**
 * Returns what the promise gives, or undefined once some seconds have passed. Its timer does not keep the process
 * alive. It ends with the promise, because a timer that ran on would keep the answer in memory until then, and with it
 * the MD5 of a customer's key.
 * @param promise must not reject
 */
function within<Value>(seconds: number, promise: Promise<Value>): Promise<Value | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), seconds * 1_000).unref();
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
