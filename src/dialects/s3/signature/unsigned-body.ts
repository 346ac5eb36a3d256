import type { WireRequest } from '../../../wire/message.ts';
import type { VerifiedBody } from '../../front-dialect.ts';
import { verifyBody } from './body-verification.ts';
import { unsignedPayload } from './payload.ts';
import { refuseToken } from './signature-fields.ts';

/** See Reading.unsignedBody. Whoever sends a session token means to be somebody, and is told. */
export function unsignedBody(request: WireRequest): VerifiedBody {
  const { parameters } = request.query;
  refuseToken(request.headers.has('x-amz-security-token'));
  refuseToken(parameters.some(({ name }) => name.toLowerCase() === 'x-amz-security-token'));
  return verifyBody(request, unsignedPayload(request), undefined);
}
