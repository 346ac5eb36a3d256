import { clientError } from '../../../errors.ts';

/** S3's window in both directions. */
export const MAX_SKEW_MILLISECONDS = 15 * 60 * 1000;

/**
 * @param text the time as the request gives it
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

/** @throws GatewayError ExpiredRequest */
export function expired(details: Readonly<Record<string, string>>, now: Date): Error {
  return clientError('ExpiredRequest', 'Request has expired.', {
    details: { ...details, ServerTime: now.toISOString() },
  });
}
