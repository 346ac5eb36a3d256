import { createHmac, hkdfSync, type KeyObject } from 'node:crypto';
import { listField, type Payload, PayloadInvalid, textField } from '../keys/payload.ts';

/** A customer key that a tenant's clients may write with where a rule takes registered keys only. */
export interface RegisteredKey {
  /** The first bytes of an HMAC of the key under a key of the tenant's, in hex. Nobody can try a guess against it. */
  readonly fingerprint: string;
  /** The version of the tenant's key under which the fingerprint was made. */
  readonly keyVersion: number;
  /** What administrators call the key; '' for nothing. */
  readonly label: string;
  readonly createdAt: Date;
}

const FINGERPRINT_BYTES = 16;
const FINGERPRINT = /^[0-9a-f]{32}$/;
/** What administrators may call a key. */
export const LABEL = /^[\x20-\x7e]{0,128}$/;
const PURPOSE = 'sealgate/registered-key/v1';
const NOTHING = Buffer.alloc(0);

/** The fingerprint of a customer key (docs/keys.md, "tenant"). @param kek a version of the tenant's key */
export function fingerprintOf(customerKey: Buffer, kek: KeyObject): string {
  const key = Buffer.from(hkdfSync('sha256', kek, NOTHING, PURPOSE, 32));
  return createHmac('sha256', key).update(customerKey).digest().toString('hex', 0, FINGERPRINT_BYTES);
}

/** Decodes the field `registeredKeys` of a tenant's record; older records lack it. */
export function decodeRegisteredKeys(payload: Payload): readonly RegisteredKey[] | undefined {
  if (payload.registeredKeys === undefined) return undefined;
  const keys = listField(payload, 'registeredKeys').map((entry): RegisteredKey => {
    const { keyVersion } = entry;
    if (typeof keyVersion !== 'number' || !Number.isInteger(keyVersion)) throw new PayloadInvalid('keyVersion');
    return Object.freeze({
      fingerprint: textField(entry, 'fingerprint', FINGERPRINT),
      keyVersion,
      label: textField(entry, 'label', LABEL),
      createdAt: new Date(textField(entry, 'createdAt')),
    });
  });
  return Object.freeze(keys);
}

export function encodeRegisteredKeys(keys: readonly RegisteredKey[] | undefined): Payload {
  if (keys === undefined || keys.length === 0) return {};
  return { registeredKeys: keys.map((key) => ({ ...key, createdAt: key.createdAt.toISOString() })) };
}
