import { createHmac, randomBytes } from 'node:crypto';

/** A secret of this process, so that its fingerprints mean nothing to any other process. */
const SECRET = randomBytes(32);

/**
 * Returns a text that tells keys apart within this process. It is equal for equal keys and no others, and reveals
 * nothing of the key.
 * @param key gives a copy of the key's bytes, which is erased
 */
export function fingerprintOf(key: { export(): Buffer }): string {
  const bytes = key.export();
  const fingerprint = createHmac('sha256', SECRET).update(bytes).digest('base64url');
  bytes.fill(0);
  return fingerprint;
}
