import type { WireRequest } from '../../../wire/message.ts';
import type { VerifiedBody } from '../../front-dialect.ts';
import { verifyBody } from './body-verification.ts';
import { unsignedPayload } from './payload.ts';
import { refuseToken } from './signature-fields.ts';

/**
 * Implements Reading.unsignedBody. A session token is refused, because its sender does not mean to be anonymous.
 * @throws GatewayError InvalidToken, and what verifyBody and unsignedPayload throw
 */
export function unsignedBody(request: WireRequest): VerifiedBody {
  const { parameters } = request.query;
  refuseToken(request.headers.has('x-amz-security-token'));
  refuseToken(parameters.some(({ name }) => name.toLowerCase() === 'x-amz-security-token'));
  return verifyBody(request, unsignedPayload(request), undefined);
}
