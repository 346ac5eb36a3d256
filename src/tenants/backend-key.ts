import { clientError } from '../errors.ts';
import { laterObject, type Payload, textField } from '../keys/payload.ts';
import { Secret } from '../secret.ts';

/** An access key at the backend, whose users, policies and ACLs decide about the requests that use it. */
export interface BackendKey {
  readonly accessKeyId: string;
  readonly secret: Secret;
}

/** What any backend may issue. Blanks, `/` and `,` are refused, because they would end it in a signature's header. */
const ACCESS_KEY_ID = /^[\x21-\x2b\x2d\x2e\x30-\x7e]{1,256}$/;
const SECRET = /^[\x20-\x7e]{1,512}$/;

/**
 * Checks a backend key.
 * @throws GatewayError InvalidArgument, which never quotes the secret
 */
export function checkBackendKey({ accessKeyId, secret }: BackendKey): void {
  if (!ACCESS_KEY_ID.test(accessKeyId)) {
    throw clientError(
      'InvalidArgument',
      'The backend access key must be 1 to 256 printable ASCII characters without spaces, commas and slashes.',
    );
  }
  if (!SECRET.test(secret.reveal())) {
    throw clientError('InvalidArgument', 'The backend secret must be 1 to 512 printable ASCII characters.');
  }
}

/** Decodes the field `backend` of docs/keys.md; older records lack it. */
export function decodeBackendKey(payload: Payload): BackendKey | undefined {
  const entry = laterObject(payload, 'backend');
  if (entry === undefined) return undefined;
  return Object.freeze({
    accessKeyId: textField(entry, 'accessKeyId', ACCESS_KEY_ID),
    secret: new Secret(textField(entry, 'secret', SECRET)),
  });
}

export function encodeBackendKey(key: BackendKey | undefined): Payload | undefined {
  return key && { accessKeyId: key.accessKeyId, secret: key.secret.reveal() };
}
