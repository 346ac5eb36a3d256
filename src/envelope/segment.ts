import { type CipherGCM, createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { corrupted } from './corruption.ts';
import { TAG_BYTES } from './sizes.ts';

const NONCE_BYTES = 12;
const INDEX_OFFSET = 3;
const TWO_32 = 0x1_0000_0000;

/**
 * Enciphers and deciphers segments of one part (FORMAT.md §4): nonce = 000000 ‖ u64 index ‖ flag, no AAD. Position
 * and end are in the nonce, so that a moved, dropped or repeated segment fails its tag.
 */
export class SegmentCipher {
  readonly #key: KeyObject;
  readonly #lastIndex: number;
  /** Reused: node copies the nonce when it makes a cipher. */
  readonly #nonce = Buffer.allocUnsafe(NONCE_BYTES).fill(0);

  /** `segments` is how many the part has; the one before that number carries the end flag. */
  constructor(key: KeyObject, segments: number) {
    this.#key = key;
    this.#lastIndex = segments - 1;
  }

  encipher(index: number): CipherGCM {
    return createCipheriv('aes-256-gcm', this.#key, this.#nonceOf(index), { authTagLength: TAG_BYTES });
  }

  /**
   * One segment, ciphertext ‖ tag, in one call.
   * @throws GatewayError ObjectCorrupted; nothing of the plaintext escapes before the tag verified
   */
  open(index: number, sealed: Buffer): Buffer {
    const split = sealed.length - TAG_BYTES;
    const nonce = this.#nonceOf(index);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(sealed.subarray(split));
    const plaintext = decipher.update(sealed.subarray(0, split));
    try {
      decipher.final();
    } catch {
      throw corrupted();
    }
    return plaintext;
  }

  #nonceOf(index: number): Buffer {
    this.#nonce.writeUInt32BE(Math.floor(index / TWO_32), INDEX_OFFSET);
    this.#nonce.writeUInt32BE(index % TWO_32, INDEX_OFFSET + 4);
    this.#nonce[NONCE_BYTES - 1] = index === this.#lastIndex ? 1 : 0;
    return this.#nonce;
  }
}
