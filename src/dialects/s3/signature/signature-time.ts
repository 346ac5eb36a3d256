import { clientError } from '../../../errors.ts';

/** How far the time of a request may be from the gateway's clock, either way. S3 has the same limit of 15 minutes. */
export const MAX_SKEW_MILLISECONDS = 15 * 60 * 1000;

/**
 * Refuses a request whose time is too far from now.
 * @param text the time as the request gives it, for the error
 * @throws GatewayError RequestTimeTooSkewed
 */
export function refuseSkew(signedAt: Date, text: string, now: Date): void {
  if (Math.abs(now.getTime() - signedAt.getTime()) <= MAX_SKEW_MILLISECONDS) return;
  throw clientError(
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large.',
    {
      details: {
        RequestTime: text,
        ServerTime: now.toISOString(),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MILLISECONDS),
      },
    },
  );
}

/** The error (ExpiredRequest) for a presigned URL that has expired. */
export function expired(details: Readonly<Record<string, string>>, now: Date): Error {
  return clientError('ExpiredRequest', 'Request has expired.', {
    details: { ...details, ServerTime: now.toISOString() },
  });
}
