import { canonicalContext, MAX_CONTEXT_BYTES } from '../envelope/encryption-context.ts';
import { clientError, type GatewayError } from '../errors.ts';

/**
 * Reads an encryption context as a client sent it, and makes its canonical form (FORMAT.md §3.5).
 * @param text base64 of a JSON object of strings
 * @throws GatewayError InvalidArgument
 */
export function readContext(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text) throw invalid('is not base64');
  const canonical = canonicalContext(parse(bytes));
  if (canonical === undefined) throw invalid('is not a JSON object of strings');
  if (canonical.length > MAX_CONTEXT_BYTES) {
    throw invalid(`takes ${canonical.length} bytes without white space, and may take ${MAX_CONTEXT_BYTES}`);
  }
  return canonical;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw invalid('is not JSON in UTF-8');
  }
}

function invalid(reason: string): GatewayError {
  return clientError(
    'InvalidArgument',
    `The encryption context ${reason}. It must be the base64 of a JSON object whose values are strings.`,
  );
}
