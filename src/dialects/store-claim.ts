import { clientError, GatewayError } from '../errors.ts';
import type { Conditions } from '../wire/conditions.ts';

/** The refusals that have the HTTP statuses 304, 412 and 416, in this order. */
export type ClaimCode = 'NotModified' | 'PreconditionFailed' | 'InvalidRange';

/**
 * A claim of the store about an object that it did not send: "not modified", "precondition failed" or "range past the
 * end". It must not become a client's answer unchecked, because a program that hears 304 or 416 believes that it has
 * the whole object. So it is not a GatewayError, which would be passed on to the client. Whoever asked must check the
 * claim against the object, or turn it into an UnexplainedClaim.
 */
export class StoreClaim extends Error {
  override readonly name = 'StoreClaim';
  readonly code: ClaimCode;
  readonly details: Readonly<Record<string, string>>;

  constructor(code: ClaimCode, options: { readonly cause: Error; readonly details: Readonly<Record<string, string>> }) {
    super(`The backend answered ${code}.`, { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

/**
 * The error for a store's answer that contradicts what it was asked, or what is known of the object. The client is told
 * to try again.
 */
export class UnexplainedClaim extends GatewayError {
  /** What the store claimed; undefined where its answer was a success. */
  readonly claim: ClaimCode | undefined;

  constructor(claim?: StoreClaim) {
    super(
      'BackendUnavailable',
      'The backend’s answers contradict each other, or what it was asked. Try again shortly.',
      {
        source: 'backend',
        ...(claim && { cause: claim.cause, details: claim.details }),
      },
    );
    this.claim = claim?.code;
  }
}

/**
 * Turns a refusal into an error that may be passed on to a client. "Precondition failed" is passed on where the request
 * had a condition: that explains it, and no program mistakes it for success. Every other claim becomes an
 * UnexplainedClaim, because the request alone cannot explain it.
 * @param asked the conditions of the request that was refused
 */
export function explained(refusal: GatewayError | StoreClaim, asked: Conditions | undefined): GatewayError {
  if (refusal instanceof GatewayError) return refusal;
  const { code, cause, details } = refusal;
  const conditional = (asked?.ifMatch ?? asked?.ifNoneMatch ?? asked?.ifUnmodifiedSince) !== undefined;
  if (code !== 'PreconditionFailed' || !conditional) return new UnexplainedClaim(refusal);
  return clientError('PreconditionFailed', 'At least one of the preconditions you specified did not hold.', {
    cause,
    details,
  });
}

/**
 * Reads the answer to a write. It may be a refusal although its status is 200.
 * @param read reads the answer's document
 * @param asked the conditions of the write
 * @throws GatewayError as `explained` where `read` throws a StoreClaim; other errors of `read` as they are
 */
export function readAcknowledged<T>(read: () => T, asked: Conditions | undefined): T {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof StoreClaim ? explained(thrown, asked) : thrown;
  }
}
