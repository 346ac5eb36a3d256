import { inspect } from 'node:util';

/**
 * How a client asks for an object to be encrypted, whatever its dialect: a front reads the vendor's headers into this,
 * `encryption/rules.ts` judges it, and a key source (`encryption/key-source.ts`) answers it. A request that says nothing
 * has none.
 */
export type AskedEncryption =
  /** With a key that the gateway manages (S3's SSE-S3). */
  | { readonly kind: 'managed'; readonly algorithm: string }
  /** With a named key of the tenant's (S3's SSE-KMS). */
  | {
      readonly kind: 'kms';
      /** As the client named it; undefined asks for the default key. */
      readonly keyId: string | undefined;
      /** The encryption context as it was sent, base64 of a JSON map; nobody has looked at it yet. */
      readonly context: string | undefined;
    }
  /** With a key that the client sends along and that is forgotten afterwards (S3's SSE-C). */
  | { readonly kind: 'customer'; readonly key: CustomerKey };

/** The ways of asking. */
export type EncryptionForm = AskedEncryption['kind'];

/** What an answer tells of an object's encryption. A dialect spells it, or leaves it out. */
export type EncryptionFacts =
  | { readonly kind: 'managed' }
  | { readonly kind: 'kms'; readonly keyId: string }
  | { readonly kind: 'customer'; readonly keyMd5: Buffer };

const REDACTED = '[customer key]';

/** A client's own key: 32 bytes, checked against the MD5 that was sent with it. However it is printed, it tells nothing. */
export class CustomerKey {
  readonly #bytes: Buffer;
  readonly #md5: Buffer;

  constructor(bytes: Buffer, md5: Buffer) {
    this.#bytes = bytes;
    this.#md5 = md5;
  }

  /** The key itself, not a copy: whoever erases it erases it for all. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The MD5 of the key, which S3's answers repeat. A guess of the key could be tried against it, so it is as secret. */
  get md5(): Buffer {
    return this.#md5;
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
