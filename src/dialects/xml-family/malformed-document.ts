import { clientError, type GatewayError } from '../../errors.ts';

/**
 * Makes the error for a request's XML document that the operation does not take.
 * @param reason completes the sentence "The XML in the request body …"
 */
export function malformedDocument(reason: string): GatewayError {
  return clientError('MalformedBody', `The XML in the request body ${reason}.`);
}
