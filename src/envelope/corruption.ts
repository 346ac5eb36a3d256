import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';

/**
 * Makes the error for everything that does not authenticate. Clients cannot tell the causes apart, because an attacker
 * who writes to the backend and asks the gateway could learn from a difference (FORMAT.md §1).
 * @param cause stands in the log only
 */
export function corrupted(cause?: Error): GatewayError {
  return new GatewayError(
    'ObjectCorrupted',
    'The stored object fails authentication: it was altered, or it is not the object that was sealed here.',
    { source: 'backend', cause },
  );
}

/**
 * Makes the error for a version or suite that this gateway does not know. It may have a message of its own, because it
 * depends on nothing secret: the version and the suite are stored in clear.
 */
export function unknownFormat(what: 'version' | 'suite', value: number): GatewayError {
  return new GatewayError(
    'ObjectCorrupted',
    `The stored object names SX1 ${what} ${value}, which this gateway does not know. Use a newer gateway.`,
    { source: 'backend' },
  );
}

/**
 * Makes the error for a body of another length than was announced to the sealer. It is a fault of the gateway itself.
 */
export function lengthMismatch(): GatewayError {
  return new GatewayError('InternalError', 'The body did not have the length that was announced for it.', {
    source: 'gateway',
  });
}

/** Compares in constant time; bytes of unequal length are unequal. */
export function sameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Checks reserved bytes. @throws GatewayError ObjectCorrupted unless the bytes from `from` up to `to` are all zero */
export function requireZero(bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) throw corrupted();
}

/** Checks a length that only a fault in the gateway's own code can make wrong. @throws RangeError */
export function requireLength(bytes: Buffer, length: number, name: string): void {
  if (bytes.length !== length) throw new RangeError(`${name} must have ${length} bytes.`);
}
