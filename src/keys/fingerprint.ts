import { createHmac, type KeyObject, randomBytes } from 'node:crypto';

/** It dies with the process, so that no fingerprint means anything to another. */
const SECRET = randomBytes(32);

/** Tells keys apart in this process's memory: equal for equal keys and no others, and it says nothing of the key. */
export function fingerprintOf(key: KeyObject): string {
  const bytes = key.export();
  const fingerprint = createHmac('sha256', SECRET).update(bytes).digest('base64url');
  bytes.fill(0);
  return fingerprint;
}
