import { PayloadInvalid, textField } from '../keys/payload.ts';
import type { RecordKind } from '../keys/records.ts';
import { Secret } from '../secret.ts';
import { type BackendKey, decodeBackendKey, encodeBackendKey } from './backend-key.ts';

/** An access key of a tenant. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secret: Secret;
  /** The tenant's name and id: both must still be those of the tenant. */
  readonly tenant: string;
  readonly tenantId: string;
  /** With which its requests go to the backend; undefined: with the tenant's, else the gateway's. */
  readonly backend: BackendKey | undefined;
  readonly createdAt: Date;
}

/** AWS's are 20 capitals and digits, MinIO's at least 3 characters, others in between; `/` and `,` end it in SigV4. */
const ACCESS_KEY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{2,127}$/;
/** Printable ASCII without spaces: what every SDK can hold and every HMAC sees as the same bytes. */
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

/** AWS's shape: 20 characters, `SG` and 90 random bits. */
export function randomAccessKeyId(randomBytes: (byteCount: number) => Buffer): string {
  return `SG${randomLetters(ACCESS_KEY_ALPHABET, ACCESS_KEY_RANDOM_LETTERS, randomBytes)}`;
}

/** AWS's length, 40; letters and digits only, so that it can be copied by double-click: 238 random bits. */
export function randomSecret(randomBytes: (byteCount: number) => Buffer): Secret {
  return new Secret(randomLetters(SECRET_ALPHABET, SECRET_LETTERS, randomBytes));
}

function randomLetters(alphabet: string, count: number, randomBytes: (byteCount: number) => Buffer): string {
  const fair = 256 - (256 % alphabet.length); // bytes past this would favour the first letters
  let text = '';
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < fair && text.length < count) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

/** docs/keys.md, "credential". */
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
