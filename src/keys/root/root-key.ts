import { hkdfSync, randomBytes as nodeRandomBytes } from 'node:crypto';
import { RecordUnreadable, ROOT_KEY_ID_BYTES, SALT_BYTES, unwrapRecord, wrapRecord } from '../wrapped-record.ts';

/** What a root key has, and what `derive` gives. */
export const ROOT_KEY_BYTES = 32;
/** Standard base64 of 32 bytes: 43 characters and one `=`. */
const ROOT_KEY_TEXT = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * The key outside every record store that wraps every record. It never leaves its provider, which may be another machine:
 * so its methods return promises.
 */
export interface RootKey {
  /** A commitment to the key that reveals nothing of it: HKDF output, 24 hex digits. Stands in every record. */
  readonly id: string;
  /**
   * Seals `plaintext` for the record `name` (docs/keys.md, "Wrapped record"). The plaintext stays the caller's, to erase.
   * @throws RecordUnreadable for a name that is none of a record, GatewayError KeyStoreUnavailable
   */
  wrap(name: string, plaintext: Buffer): Promise<Buffer>;
  /**
   * The plaintext of a record, the caller's to erase.
   * @throws RecordUnreadable naming the record, GatewayError KeyStoreUnavailable
   */
  unwrap(name: string, wrapped: Buffer): Promise<Buffer>;
  /**
   * 32 bytes for a purpose of their own, of which nobody finds this key (HKDF-SHA-256, docs/keys.md).
   * @throws GatewayError KeyStoreUnavailable
   */
  derive(purpose: string): Promise<Buffer>;
}

/** What opening a root key may say on the way. */
export interface RootKeyOptions {
  /** Called with a sentence for the operator, that others can use the key's file for instance. */
  readonly onWarning?: ((message: string) => void) | undefined;
  /** Draws the salts of records; default: `node:crypto`. */
  readonly randomBytes?: ((byteCount: number) => Buffer) | undefined;
}

/** The configured root key cannot be used. The message names the source and never the key. */
export class RootKeyInvalid extends Error {
  constructor(source: string, reason: string) {
    super(`The root key from ${source} cannot be used: ${reason}`);
    this.name = 'RootKeyInvalid';
  }
}

/** What a message adds that says that a text is no root key. */
export const ROOT_KEY_NEEDED = 'It must be 32 random bytes in base64.';

/**
 * @param source how the message names it, `the environment variable SEALGATE_ROOT_KEY` for instance
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

/** A root key that lies in this process. */
export function rootKeyFromBytes(rootKey: Buffer, { randomBytes = nodeRandomBytes }: RootKeyOptions = {}): RootKey {
  const id = Buffer.from(hkdfSync('sha256', rootKey, '', 'sealgate/root-key-id/v1', ROOT_KEY_ID_BYTES)).toString('hex');
  return {
    id,
    wrap: async (name, plaintext) =>
      wrapRecord({ rootKey, rootKeyId: id, name, plaintext, salt: randomBytes(SALT_BYTES) }),
    unwrap: async (name, wrapped) => unwrapRecord({ rootKey, rootKeyId: id, name, wrapped }),
    derive: async (purpose) => Buffer.from(hkdfSync('sha256', rootKey, '', purpose, ROOT_KEY_BYTES)),
  };
}

/** Several root keys as one, while one takes another's place: the first wraps, and any of them unwraps. */
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
          const plaintext = await other.unwrap(name, wrapped).catch(unlessUnreadable);
          if (plaintext !== undefined) return plaintext;
        }
        throw error;
      }
    },
  };
}

function unlessUnreadable(error: unknown): undefined {
  if (!(error instanceof RecordUnreadable)) throw error;
}
