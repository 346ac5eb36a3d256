import { createSecretKey, hkdfSync, randomBytes as nodeRandomBytes } from 'node:crypto';
import { RecordUnreadable, ROOT_KEY_ID_BYTES, SALT_BYTES, unwrapRecord, wrapRecord } from '../wrapped-record.ts';

/** The length of a root key, and of what `derive` returns. */
export const ROOT_KEY_BYTES = 32;
/** Standard base64 of 32 bytes: 43 characters and one `=`. */
const ROOT_KEY_TEXT = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * The key outside every record store that wraps every record. It never leaves its provider, which may be another
 * machine; therefore its methods return promises.
 */
export interface RootKey {
  /**
   * A commitment to the key that reveals nothing about it: HKDF output in 24 hex digits, which stand in every record.
   */
  readonly id: string;
  /**
   * Seals `plaintext` for the record `name` (docs/keys.md, "Wrapped record"). The caller erases the plaintext.
   * @throws RecordUnreadable if the name is not that of a record, GatewayError KeyStoreUnavailable
   */
  wrap(name: string, plaintext: Buffer): Promise<Buffer>;
  /**
   * Returns the plaintext of a record, which the caller erases.
   * @throws RecordUnreadable, which names the record; GatewayError KeyStoreUnavailable
   */
  unwrap(name: string, wrapped: Buffer): Promise<Buffer>;
  /**
   * Derives 32 bytes for another purpose, from which nobody can find this key (HKDF-SHA-256, docs/keys.md).
   * @throws GatewayError KeyStoreUnavailable
   */
  derive(purpose: string): Promise<Buffer>;
}

/** What opening a root key may use. */
/** What opening a root key may say on the way. */
export interface RootKeyOptions {
  /** Is called with a sentence for the operator, for instance that others can read the key's file. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Draws the salts of records; by default from `node:crypto`. */
  readonly randomBytes?: ((byteCount: number) => Buffer) | undefined;
}

/** The configured root key cannot be used. The message names the source and never the key. */
export class RootKeyInvalid extends Error {
  constructor(source: string, reason: string) {
    super(`The root key from ${source} cannot be used: ${reason}`);
    this.name = 'RootKeyInvalid';
  }
}

/** What messages add that say that a text is not a root key. */
export const ROOT_KEY_NEEDED = 'It must be 32 random bytes in base64.';

/**
 * Makes a root key of its text.
 * @param source how messages name where it came from, for instance `the environment variable SEALGATE_ROOT_KEY`
 * @throws RootKeyInvalid
 */
export function rootKeyFromText(text: string, source = 'the environment', options: RootKeyOptions = {}): RootKey {
  return rootKeyFromBytes(decodeRootKey(text, source), options);
}

function decodeRootKey(text: string, source: string): Buffer {
  const trimmed = text.trim();
  if (trimmed === '') throw new RootKeyInvalid(source, `it is empty. ${ROOT_KEY_NEEDED}`);
  const bytes = Buffer.from(trimmed, 'base64');
  if (!ROOT_KEY_TEXT.test(trimmed)) {
    const wrong = bytes.length === ROOT_KEY_BYTES ? 'it is not plain base64' : 'its length is wrong';
    throw new RootKeyInvalid(source, `${wrong}. ${ROOT_KEY_NEEDED}`);
  }
  if (bytes.every((byte) => byte === 0)) {
    throw new RootKeyInvalid(source, `every byte of it is zero. ${ROOT_KEY_NEEDED}`);
  }
  return bytes;
}

/** Makes a root key that lies in this process. */
export function rootKeyFromBytes(bytes: Buffer, { randomBytes = nodeRandomBytes }: RootKeyOptions = {}): RootKey {
  const rootKey = createSecretKey(bytes);
  const id = Buffer.from(hkdfSync('sha256', rootKey, '', 'sealgate/root-key-id/v1', ROOT_KEY_ID_BYTES)).toString('hex');
  return {
    id,
    wrap: async (name, plaintext) =>
      wrapRecord({ rootKey, rootKeyId: id, name, plaintext, salt: randomBytes(SALT_BYTES) }),
    unwrap: async (name, wrapped) => unwrapRecord({ rootKey, rootKeyId: id, name, wrapped }),
    derive: async (purpose) => Buffer.from(hkdfSync('sha256', rootKey, '', purpose, ROOT_KEY_BYTES)),
  };
}

/** Joins several root keys into one, while one replaces another: the first wraps, and any of them unwraps. */
export function joinedRootKey([first, ...others]: readonly [RootKey, ...RootKey[]]): RootKey {
  if (others.length === 0) return first;
  return {
    ...first,
    async unwrap(name, wrapped) {
      try {
        return await first.unwrap(name, wrapped);
      } catch (error) {
        if (!(error instanceof RecordUnreadable)) throw error;
        for (const other of others) {
          const plaintext = await other.unwrap(name, wrapped).catch(undefinedIfUnreadable);
          if (plaintext !== undefined) return plaintext;
        }
        throw error;
      }
    },
  };
}

function undefinedIfUnreadable(error: unknown): undefined {
  if (!(error instanceof RecordUnreadable)) throw error;
}
