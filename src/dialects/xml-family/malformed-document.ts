import { clientError, type GatewayError } from '../../errors.ts';

/** The error for a document in a request's body that is not what the operation takes. */
export function malformedDocument(reason: string): GatewayError {
  return clientError('MalformedBody', `The XML in the request body ${reason}.`);
}
