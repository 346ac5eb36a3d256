import type { FrontDialect } from '../../dialects/front-dialect.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { RequestTrace } from '../trace.ts';
import { identify } from './admission.ts';
import type { Askers } from './askers.ts';

/**
 * Finds out for the log whose a request is that was refused before anybody looked at its signature, and what it asked
 * about. Nothing of it changes the answer, so whatever goes wrong on the way is nobody's business. Never rejects.
 */
export async function traceRefused(
  request: WireRequest,
  { front, askers, trace }: { readonly front: FrontDialect; readonly askers: Askers; readonly trace: RequestTrace },
): Promise<void> {
  const { settings } = askers.services;
  try {
    const { bucket, key } = front.resourceOf(request, settings);
    trace.bucket ??= bucket;
    trace.key ??= key;
    trace.operation ??= front.operationNamed(request, settings);
    const claim = front.readClaim(request, settings);
    if (claim !== undefined) await identify(claim, { askers, trace });
  } catch {
    // It stays unknown.
  }
}
