import { clientError, GatewayError } from '../errors.ts';

/** Why an exchange with the backend failed. The set is bounded, because the reason is a metric label. */
export type FailureReason = 'connect' | 'tls' | 'timeout' | 'reset' | 'protocol' | 'gateway';

const REASONS: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'connect',
  EHOSTUNREACH: 'connect',
  ENETUNREACH: 'connect',
  ENOTFOUND: 'connect',
  EAI_AGAIN: 'connect',
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  ETIMEDOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_HEADERS_OVERFLOW: 'protocol',
  ANSWER_MALFORMED: 'protocol',
  ERR_INVALID_ARG_TYPE: 'gateway',
  ERR_ASSERTION: 'gateway',
  UND_ERR_INVALID_ARG: 'gateway',
  UND_ERR_NOT_SUPPORTED: 'gateway',
};

const MESSAGES: Readonly<Record<FailureReason, string>> = {
  connect: 'The backend cannot be reached. Try again shortly.',
  tls: "The backend's TLS certificate or handshake was refused.",
  timeout: 'The backend did not answer in time. Try again shortly.',
  reset: 'The backend closed the connection before its answer was complete. Try again.',
  protocol: 'The backend answered something that is not valid HTTP.',
  gateway: 'The gateway met an internal error at its connection to the backend. Try again.',
};

/** Finds the reason for what a socket, node or undici threw. */
export function failureReason(thrown: unknown): FailureReason {
  const code = codeOf(thrown);
  const known = REASONS[code];
  if (known !== undefined) return known;
  // undici's parser throws this. It throws the same for an answer that ends too early.
  if (nameOf(thrown) === 'HTTPParserError') return /EOF/.test((thrown as Error).message) ? 'reset' : 'protocol';
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) return 'tls';
  // Sockets and undici give every error a code. An error without one is a fault of the gateway, not of the backend.
  return code === '' ? 'gateway' : 'reset';
}

/**
 * Turns what a transport threw into the error that may reach a client, which names no addresses. The cause keeps only
 * name, code and message, because undici attaches raw bytes of the answer and details of the socket to its errors, and
 * logs would print them.
 */
export function backendFailure(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const reason = failureReason(thrown);
  const cause = new Error(`${nameOf(thrown)} ${codeOf(thrown)}: ${thrown instanceof Error ? thrown.message : ''}`);
  if (reason === 'gateway') {
    return new GatewayError('InternalError', MESSAGES.gateway, { source: 'gateway', cause });
  }
  const code = reason === 'protocol' ? 'BackendError' : 'BackendUnavailable';
  return new GatewayError(code, MESSAGES[reason], { source: 'backend', cause });
}

/** The error for an error document that is too large to be one; nothing in it is worth more memory. */
export function documentTooLarge(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered an error document that is too large.', {
    source: 'backend',
  });
}

/** The error for a request whose client left, or which the gateway aborted: nobody waits for the answer any more. */
export function abandoned(signal: AbortSignal): GatewayError {
  if (signal.reason instanceof GatewayError) return signal.reason;
  return clientError('RequestTimeout', 'The request was given up before its answer was complete.', {
    cause: signal.reason,
  });
}

function codeOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
