import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { WireRequest } from '../../../../src/wire/message.ts';
import { signingSecret, wireRequest } from '../../../support/requests.ts';

/** The AWS SDK's own signer: what the front is compared with, and what signs the requests of these tests. */

export const SETTINGS = { region: 'us-east-1', domains: ['s3.example.com'] } as const;
export const NOW = new Date('2024-01-02T03:04:05Z');
export const ACCESS_KEY_ID = 'AKIDEXAMPLE';
export const SECRET = signingSecret('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');

class Sha256 {
  readonly #hash: Hash | Hmac;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secretBytes(secret));
  }
  update(data: Uint8Array | string): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

function secretBytes(secret: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof secret === 'string') return Buffer.from(secret);
  return ArrayBuffer.isView(secret)
    ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
    : Buffer.from(secret);
}

/** Who signs, when, and for which server. */
export interface Signing {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly host: string;
  readonly date: Date;
  readonly region?: string;
  readonly service?: string;
}

const VECTORS: Signing = {
  accessKeyId: ACCESS_KEY_ID,
  secretAccessKey: SECRET.reveal(),
  host: '127.0.0.1:9000',
  date: NOW,
};

function signerOf({ accessKeyId, secretAccessKey, region = SETTINGS.region, service = 's3' }: Signing): SignatureV4 {
  return new SignatureV4({
    credentials: { accessKeyId, secretAccessKey },
    region,
    service,
    sha256: Sha256,
    uriEscapePath: false,
    applyChecksum: true,
  });
}

export interface UnsignedRequest {
  readonly method: string;
  /** Percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** After the signature, what is sent. */
  readonly body?: Buffer | AsyncIterable<Buffer>;
  /** x-amz-content-sha256; default: the hash of `body`. */
  readonly payload?: string;
}

export interface SignedRequest {
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The signature: the seed of signed chunks. */
  readonly seed: string;
}

/** The headers and target that the SDK would send. */
export async function sign(request: UnsignedRequest, as: Signing = VECTORS): Promise<SignedRequest> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const payload = request.payload ?? createHash('sha256').update(body).digest('hex');
  const headers = { host: as.host, ...request.headers, 'x-amz-content-sha256': payload };
  const signed = await signerOf(as).sign(smithyRequest(request, headers), { signingDate: as.date });
  return {
    target: target(request.path, signed.query as Record<string, string>),
    headers: Object.entries(signed.headers),
    seed: /Signature=([0-9a-f]{64})/.exec(signed.headers.authorization ?? '')?.[1] ?? '',
  };
}

export async function presign(
  request: UnsignedRequest,
  expiresSeconds = 300,
  as: Signing = VECTORS,
): Promise<SignedRequest> {
  const headers = { host: as.host, ...request.headers };
  const signed = await signerOf(as).presign(smithyRequest(request, headers), {
    signingDate: as.date,
    expiresIn: expiresSeconds,
  });
  return {
    target: target(request.path, signed.query as Record<string, string>),
    headers: Object.entries(signed.headers),
    seed: '',
  };
}

/** A signed request, as the listener would hand it to the front. Headers in `unsigned` are added afterwards. */
export async function signedRequest(
  request: UnsignedRequest,
  unsigned: Readonly<Record<string, string>> = {},
): Promise<WireRequest> {
  const { target, headers } = await sign(request);
  return wireRequest({
    method: request.method,
    target,
    headers: [...headers, ...Object.entries(unsigned)],
    ...(request.body !== undefined && { body: request.body }),
  });
}

function smithyRequest(request: UnsignedRequest, headers: Record<string, string>) {
  return {
    method: request.method,
    protocol: 'http:',
    hostname: '127.0.0.1',
    port: 9000,
    path: request.path,
    query: { ...request.query },
    headers,
    body: request.body,
  };
}

export function target(path: string, query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`;
}

export function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The code of the GatewayError that `act` throws; 'nothing' if it does not. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'nothing';
}
