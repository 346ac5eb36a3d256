import { clientError } from '../../../errors.ts';

/** Refuses invalid UTF-8. A decoder that replaces it would make another key of it, and that object would be deleted. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a document. @throws GatewayError MalformedBody */
export function jsonOf(document: Buffer): unknown {
  try {
    return JSON.parse(strictUtf8.decode(document));
  } catch (cause) {
    throw clientError('MalformedBody', 'The body is not valid JSON.', { cause });
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
