import { clientError } from '../../../errors.ts';
import type { SignatureFields } from './signature-fields.ts';

/**
 * How far a client's clock may run ahead, in seconds. A client whose clock is further off learns it from the refusal:
 * the SDK for Node.js reads the answer's Date, and signs anew.
 */
const MAX_AHEAD_SECONDS = 60;

/**
 * Refuses a signature at a time for which it was not made, and one that its key's time does not cover.
 * @throws GatewayError ExpiredRequest. Its message is COS's to the letter, because SDKs compare it.
 */
export function refuseOutside({ signTime, keyTime }: Pick<SignatureFields, 'signTime' | 'keyTime'>, now: Date): void {
  const seconds = now.getTime() / 1000;
  const holds = [signTime, keyTime].every(
    ({ from, until }) => from <= seconds + MAX_AHEAD_SECONDS && Math.floor(seconds) <= until,
  );
  if (!holds) throw clientError('ExpiredRequest', 'Request has expired');
  if (keyTime.from <= signTime.from && signTime.until <= keyTime.until) return;
  throw clientError('AccessDenied', 'The time of q-key-time must cover that of q-sign-time.');
}
