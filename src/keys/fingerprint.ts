import { createHmac, type KeyObject, randomBytes } from 'node:crypto';

/** A secret of this process, so that its fingerprints mean nothing to any other process. */
const SECRET = randomBytes(32);

/**
 * Returns a text that tells keys apart within this process. It is equal for equal keys and no others, and reveals
 * nothing of the key.
 */
export function fingerprintOf(key: KeyObject): string {
  const bytes = key.export();
  const fingerprint = createHmac('sha256', SECRET).update(bytes).digest('base64url');
  bytes.fill(0);
  return fingerprint;
}
