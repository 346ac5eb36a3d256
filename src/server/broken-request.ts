import { clientError, type GatewayError } from '../errors.ts';

/** What node's 'clientError' meant, as a refusal. */
export interface BrokenRequest {
  /** node's or llhttp's code: HPE_INVALID_HEADER_TOKEN, ERR_HTTP_REQUEST_TIMEOUT … */
  readonly reason: string;
  /** undefined: the connection is gone, nobody is there to be told. */
  readonly refusal: GatewayError | undefined;
}

export function brokenRequest(error: Error): BrokenRequest {
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return { reason, refusal: refusalFor(reason) };
}

function refusalFor(reason: string): GatewayError | undefined {
  switch (reason) {
    case 'HPE_HEADER_OVERFLOW':
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return clientError('RequestHeaderSectionTooLarge', 'The head of the request is larger than the gateway takes.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return clientError('RequestTimeout', 'The head of the request did not arrive in time.');
    case 'HPE_INVALID_URL':
      return clientError(
        'InvalidURI',
        'The request target has characters that no URI has; blanks and control characters must be percent-encoded.',
      );
    default:
      if (!reason.startsWith('HPE_')) return undefined;
      return clientError('InvalidRequest', 'The request is not well-formed HTTP/1.1.');
  }
}
