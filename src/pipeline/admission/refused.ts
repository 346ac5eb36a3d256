import type { FrontDialect } from '../../dialects/front-dialect.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';
import { identify } from './identify.ts';
import type { MeantReading } from './meant-reading.ts';

/**
 * Fills in the log entry of a request that was refused before its signature was verified: what it asked for, and who
 * sent it. It does not change the answer, so errors on the way are dropped. Never rejects.
 */
export async function traceRefused(
  request: WireRequest,
  arrival: {
    readonly front: FrontDialect;
    /** undefined where no reading's signature verified: then nothing tells who sent the request. */
    readonly meant: MeantReading | undefined;
    readonly askers: Askers;
    readonly trace: RequestTrace;
  },
): Promise<void> {
  const { front, meant, askers, trace } = arrival;
  try {
    const reading = meant?.reading ?? front.readings(request, askers.services.settings)[0];
    const { bucket, key } = reading.resource();
    trace.bucket ??= bucket;
    trace.key ??= key;
    trace.operation ??= reading.operationNamed();
    if (meant === undefined || meant.signer !== undefined) return;
    const claim = reading.claim();
    if (claim !== undefined) await identify(claim, { askers, trace });
  } catch {
    // The log then lacks what could not be found out.
  }
}
