import { createHash, createHmac } from 'node:crypto';

/** What is signed of a request, by the rules of the vendor's page, and by whom. */
export interface CosSigned {
  readonly method: string;
  /** Decoded, as the client means it: without a bucket. */
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly parameters?: readonly (readonly [string, string])[];
  readonly accessKeyId: string;
  readonly secret: string;
  /** In seconds since 1970. The default is a quarter of an hour from now. */
  readonly signTime?: readonly [from: number, until: number];
  readonly keyTime?: readonly [from: number, until: number];
}

/** Signs as the SDKs do, and returns the seven fields. */
export function cosFields(signed: CosSigned): readonly (readonly [string, string])[] {
  const now = Math.floor(Date.now() / 1000);
  const signTime = (signed.signTime ?? [now - 1, now + 900]).join(';');
  const keyTime = (signed.keyTime ?? signed.signTime ?? [now - 1, now + 900]).join(';');
  const headers = pairs(signed.headers ?? []);
  const parameters = pairs(signed.parameters ?? []);
  const text = [signed.method.toLowerCase(), signed.path, joined(parameters), joined(headers), ''].join('\n');
  const hashed = createHash('sha1').update(text).digest('hex');
  const key = createHmac('sha1', signed.secret).update(keyTime).digest('hex');
  const signature = createHmac('sha1', key).update(`sha1\n${signTime}\n${hashed}\n`).digest('hex');
  return [
    ['q-sign-algorithm', 'sha1'],
    ['q-ak', signed.accessKeyId],
    ['q-sign-time', signTime],
    ['q-key-time', keyTime],
    ['q-header-list', headers.map(([name]) => name).join(';')],
    ['q-url-param-list', parameters.map(([name]) => name).join(';')],
    ['q-signature', signature],
  ];
}

/** The value of the header Authorization. */
export function cosAuthorization(signed: CosSigned): string {
  return cosFields(signed)
    .map((field) => field.join('='))
    .join('&');
}

function pairs(entries: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const encoded = entries.map(([name, value]) => [encode(name).toLowerCase(), encode(value)] as const);
  return encoded.sort(([left], [right]) => (left < right ? -1 : 1));
}

function joined(entries: readonly (readonly [string, string])[]): string {
  return entries.map((entry) => entry.join('=')).join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
