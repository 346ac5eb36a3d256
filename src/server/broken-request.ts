import { clientError, type GatewayError } from '../errors.ts';

/** What a 'clientError' of node means: why the request cannot be read, and how it is refused. */
export interface BrokenRequest {
  /** The code of node or of its parser llhttp, such as HPE_INVALID_HEADER_TOKEN or ERR_HTTP_REQUEST_TIMEOUT. */
  readonly reason: string;
  /** undefined if the connection is closed, so that nobody can be told. */
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
