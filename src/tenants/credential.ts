import { PayloadInvalid, textField } from '../keys/payload.ts';
import type { RecordKind } from '../keys/records.ts';
import { Secret } from '../secret.ts';
import { type BackendKey, decodeBackendKey, encodeBackendKey } from './backend-key.ts';

/** An access key of a tenant. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secret: Secret;
  /** The tenant's name and, below, its id. Both must still be those of the tenant. */
  readonly tenant: string;
  readonly tenantId: string;
  /** The key with which its requests go to the backend; undefined means the tenant's, or else the gateway's. */
  readonly backend: BackendKey | undefined;
  readonly createdAt: Date;
}

/**
 * AWS's ids are 20 capitals and digits, MinIO's have at least 3 characters. `/` and `,` are refused, because they end
 * an id in SigV4.
 */
const ACCESS_KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$/;
/** Printable ASCII without spaces, which every SDK can hold and which are the same bytes to every HMAC. */
const SECRET = /^[\x21-\x7e]{8,128}$/;

const ACCESS_KEY_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCESS_KEY_RANDOM_LETTERS = 18;
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SECRET_LETTERS = 40;

export function isAccessKeyId(text: string): boolean {
  return ACCESS_KEY_ID.test(text);
}

export function isSecret(text: string): boolean {
  return SECRET.test(text);
}

/** Draws an access key id of AWS's shape: 20 characters, of which `SG` are the first, with 90 random bits. */
export function randomAccessKeyId(randomBytes: (byteCount: number) => Buffer): string {
  return `SG${randomLetters(ACCESS_KEY_ALPHABET, ACCESS_KEY_RANDOM_LETTERS, randomBytes)}`;
}

/**
 * Draws a secret of AWS's length, 40. It has letters and digits only, so that a double-click selects it, with 238
 * random bits.
 */
export function randomSecret(randomBytes: (byteCount: number) => Buffer): Secret {
  return new Secret(randomLetters(SECRET_ALPHABET, SECRET_LETTERS, randomBytes));
}

function randomLetters(alphabet: string, count: number, randomBytes: (byteCount: number) => Buffer): string {
  const fair = 256 - (256 % alphabet.length); // bytes from this one on would favour the first letters
  let text = '';
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < fair && text.length < count) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

/** The kind of record that holds a credential (docs/keys.md, "credential"). */
export const CREDENTIAL: RecordKind<Credential> = {
  name: 'credential',
  decode(payload, id) {
    if (textField(payload, 'accessKeyId', ACCESS_KEY_ID) !== id) throw new PayloadInvalid('accessKeyId');
    return Object.freeze({
      accessKeyId: id,
      secret: new Secret(textField(payload, 'secret', SECRET)),
      tenant: textField(payload, 'tenant'),
      tenantId: textField(payload, 'tenantId'),
      backend: decodeBackendKey(payload),
      createdAt: new Date(textField(payload, 'createdAt')),
    });
  },
  encode: ({ accessKeyId, secret, tenant, tenantId, backend, createdAt }) => ({
    accessKeyId,
    secret: secret.reveal(),
    tenant,
    tenantId,
    backend: encodeBackendKey(backend),
    createdAt: createdAt.toISOString(),
  }),
};
