import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';

/**
 * The one answer to everything that does not authenticate. All causes look alike, because whoever can write to the
 * backend and ask the gateway would learn from the difference (FORMAT.md §1).
 * @param cause for the log alone
 */
export function corrupted(cause?: Error): GatewayError {
  return new GatewayError(
    'ObjectCorrupted',
    'The stored object fails authentication: it was altered, or it is not the object that was sealed here.',
    { source: 'backend', cause },
  );
}

/** The only failure with a face of its own: it depends on clear bytes alone and asks for a newer gateway. */
export function unknownFormat(what: 'version' | 'suite', value: number): GatewayError {
  return new GatewayError(
    'ObjectCorrupted',
    `The stored object names SX1 ${what} ${value}, which this gateway does not know. Use a newer gateway.`,
    { source: 'backend' },
  );
}

/** The gateway fed the sealer another length than it had announced: the sealed size would not follow from n. */
export function lengthMismatch(): GatewayError {
  return new GatewayError('InternalError', 'The body did not have the length that was announced for it.', {
    source: 'gateway',
  });
}

/** Compares in constant time; bytes of unequal length are unequal. */
export function sameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** @throws GatewayError ObjectCorrupted unless the bytes from..to are all zero: reserved means reserved */
export function requireZero(bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) throw corrupted();
}

/** @throws RangeError: a length that only the gateway's own code can get wrong */
export function requireLength(bytes: Buffer, length: number, name: string): void {
  if (bytes.length !== length) throw new RangeError(`${name} must have ${length} bytes.`);
}
