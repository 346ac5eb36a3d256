import { type CipherGCM, createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { corrupted } from './corruption.ts';
import { TAG_BYTES } from './sizes.ts';

const NONCE_BYTES = 12;
const INDEX_OFFSET = 3;
const TWO_32 = 0x1_0000_0000;

/**
 * Encrypts and decrypts the segments of one part (FORMAT.md §4). The nonce is 000000 ‖ u64 index ‖ flag, and there is
 * no AAD. A segment's position, and whether it is the last, are in the nonce. So a segment that was moved, dropped or
 * repeated fails its tag.
 */
export class SegmentCipher {
  readonly #key: KeyObject;
  readonly #lastIndex: number;
  /** One buffer is used for all nonces, because node copies the nonce when it makes a cipher. */
  readonly #nonce = Buffer.allocUnsafe(NONCE_BYTES).fill(0);

  /** @param segments the number of segments in the part; the last of them has the end flag in its nonce */
  constructor(key: KeyObject, segments: number) {
    this.#key = key;
    this.#lastIndex = segments - 1;
  }

  encipher(index: number): CipherGCM {
    return createCipheriv('aes-256-gcm', this.#key, this.#nonceOf(index), { authTagLength: TAG_BYTES });
  }

  /**
   * Decrypts one segment, ciphertext ‖ tag. The plaintext is returned only after the tag was verified.
   * @throws GatewayError ObjectCorrupted
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
