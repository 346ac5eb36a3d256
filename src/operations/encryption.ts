import { inspect } from 'node:util';

/**
 * What a client asks about the encryption of an object, in no dialect's terms. A front reads the vendor's headers into
 * it, `encryption/rules.ts` says whether an operation may ask it, and a key source (`encryption/key-source.ts`) gives
 * the keys. A request that says nothing of encryption has none.
 */
export type AskedEncryption =
  /** The object is to be encrypted with a key that the gateway manages (S3's SSE-S3). */
  | {
      readonly kind: 'managed';
      /** The method as the client named it. `encryption/rules.ts` refuses every other one than AES256. */
      readonly algorithm: string;
    }
  /** The object is to be encrypted with one of the tenant's named keys (S3's SSE-KMS). */
  | {
      readonly kind: 'kms';
      /** The key's name as the client sent it; undefined asks for the default key. */
      readonly keyId: string | undefined;
      /** The encryption context as the client sent it: base64 of a JSON object. It was not parsed yet. */
      readonly context: string | undefined;
      /** Whether the client asks for a bucket key. It is kept and told again, and changes nothing. */
      readonly bucketKey?: boolean | undefined;
    }
  /** The object is encrypted with a key that the client sends with each request, and that is not kept (S3's SSE-C). */
  | { readonly kind: 'customer'; readonly key: CustomerKey };

/**
 * Whether clients may be told the MD5 of an object's plaintext as its ETag. As in S3, not where another key than the
 * gateway's default protects it, because whoever may list the bucket sees ETags.
 * @param encryption undefined for an object that is stored as it was sent
 */
export function mayTellMd5(encryption: { readonly kind: EncryptionForm } | undefined): boolean {
  return encryption === undefined || encryption.kind === 'managed';
}

/** The name of a way in which encryption may be asked for. */
export type EncryptionForm = AskedEncryption['kind'];

/** What an answer tells the client of an object's encryption. A front renders it, or leaves it out. */
export type EncryptionFacts =
  | { readonly kind: 'managed' }
  | {
      readonly kind: 'kms';
      readonly keyId: string;
      /** Whether the client asked for a bucket key, which it is told again. */
      readonly bucketKey?: boolean | undefined;
    }
  /** `keyMd5` is undefined where the request needs no key and brought none. */
  | { readonly kind: 'customer'; readonly keyMd5: Buffer | undefined };

/** What a request says of encryption beside its customer key. Whatever is missing or wrong makes the key malformed. */
export interface SaidBesideKey {
  /** The algorithm as the client named it. */
  readonly algorithm?: string | undefined;
  /** The method of another form of encryption, which does not go together with a customer key. */
  readonly method?: string | undefined;
  /** The name of a KMS key, which does not go together with a customer key. */
  readonly keyId?: string | undefined;
}

const WELL_FORMED: SaidBesideKey = { algorithm: 'AES256' };
const REDACTED = '[customer key]';
const NOTHING = Buffer.alloc(0);

/**
 * A key that a client sent: 32 bytes, checked against the MD5 that came with them. The key does not appear when the
 * object is printed, logged or made JSON of.
 */
export class CustomerKey {
  readonly #bytes: Buffer;
  readonly #md5: Buffer;
  readonly #refusal: Error | undefined;
  /** What the request says of encryption, which policies of buckets look at. */
  readonly said: SaidBesideKey;

  constructor(bytes: Buffer, md5: Buffer, malformed?: { readonly refusal: Error; readonly said: SaidBesideKey }) {
    this.#bytes = bytes;
    this.#md5 = md5;
    this.#refusal = malformed?.refusal;
    this.said = malformed?.said ?? WELL_FORMED;
  }

  /**
   * Stands for what a client sent as a key and is none. The client hears of it only when the key is looked at, because
   * a bucket that takes no customer keys refuses every request with one.
   */
  static malformed(refusal: Error, said: SaidBesideKey = {}): CustomerKey {
    return new CustomerKey(NOTHING, NOTHING, { refusal, said });
  }

  /** Checks that it is a key. @throws the error that the client hears */
  check(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  /**
   * The key itself and not a copy. Erasing these bytes erases the key for everyone who holds this object.
   * @throws what `check` throws
   */
  get bytes(): Buffer {
    this.check();
    return this.#bytes;
  }

  /**
   * The MD5 of the key, which S3's answers repeat. It is kept secret too, because a guessed key can be tried against
   * it.
   */
  get md5(): Buffer {
    return this.#md5;
  }

  /** Erases the key and its MD5. Called when the request that brought them has its answer. */
  erase(): void {
    this.#bytes.fill(0);
    this.#md5.fill(0);
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
