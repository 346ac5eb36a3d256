import { timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const REDACTED = '[secret]';

/**
 * A value that must not get into any log, error text or metric label: printing it in any way gives `[secret]`. The
 * value is text (an access key's secret) or bytes (a key). Only `reveal` and `bytes` give it out, so that a reader
 * finds every use by name.
 */
export class Secret {
  readonly #value: Buffer;

  constructor(value: string | Buffer) {
    this.#value = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
  }

  /** The secret as UTF-8 text. */
  reveal(): string {
    return this.#value.toString('utf8');
  }

  /** Returns a copy of the secret's bytes. */
  bytes(): Buffer {
    return Buffer.from(this.#value);
  }

  /** Compares in constant time. */
  equals(other: Secret | string | Buffer): boolean {
    if (other instanceof Secret) return timingSafeEqualBytes(this.#value, other.#value);
    return timingSafeEqualBytes(this.#value, typeof other === 'string' ? Buffer.from(other, 'utf8') : other);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/**
 * Compares in constant time for equal lengths; a length is no secret here. All comparisons of secret bytes in the
 * project use it.
 */
export function timingSafeEqualBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
