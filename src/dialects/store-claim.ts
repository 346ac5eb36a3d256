import { clientError, GatewayError } from '../errors.ts';
import type { Conditions } from '../wire/conditions.ts';

/** The refusals that have the statuses 304, 412 and 416 in HTTP. */
export type ClaimCode = 'NotModified' | 'PreconditionFailed' | 'InvalidRange';

/**
 * What a store claims about an object that it does not give. It must not become a client's answer unchecked: a program that
 * hears "not modified" or "past the end" believes that it has all there is. So it is no GatewayError, which would be passed
 * on. Whoever asked must hold the claim against the object, or report that nothing explains it.
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

/** A store's claim that the request does not explain, or that contradicts what is known of the object. */
export class UnexplainedClaim extends GatewayError {
  /** The code that the store claimed, where its answer was a refusal. */
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
 * Turns a refusal into an error that may go on to a client. A condition that was asked explains "precondition failed",
 * which no program takes for success. The request alone explains no other claim.
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

/** Reads the answer to a write, which may be a refusal although its status is 200. @throws GatewayError, and what `read` throws */
export function readAcknowledged<T>(read: () => T, asked: Conditions | undefined): T {
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof StoreClaim ? explained(thrown, asked) : thrown;
  }
}
