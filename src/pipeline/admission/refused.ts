import type { FrontDialect } from '../../dialects/front-dialect.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import type { Askers } from './askers.ts';
import { identify } from './identify.ts';
import type { MeantReading } from './meant-reading.ts';

/**
 * Finds out for the log whose request was refused before its signature was verified, and what it asked about. Nothing
 * of that changes the answer, so errors on the way are ignored. It never rejects.
 */
export async function traceRefused(
  request: WireRequest,
  came: {
    readonly front: FrontDialect;
    /** undefined if no reading is meant; then it is not known who signed it. */
    readonly meant: MeantReading | undefined;
    readonly askers: Askers;
    readonly trace: RequestTrace;
  },
): Promise<void> {
  const { front, meant, askers, trace } = came;
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
    // What could not be found out stays unknown.
  }
}
