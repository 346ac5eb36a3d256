import { createHash, createHmac, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface SignedRequest {
  readonly method: 'GET' | 'PUT';
  readonly url: URL;
  /** Without host, which the client sends by itself. */
  readonly headers: Readonly<Record<string, string>>;
}

/** SHA-256 or, with a secret, HMAC-SHA-256: the hash that the signer asks for. */
class Sha256 {
  readonly #hash: Hmac | ReturnType<typeof createHash>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' ? secret : secret && bytesOf(secret);
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key);
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/**
 * A request with its signature in the header and an UNSIGNED-PAYLOAD, so that neither the load nor the server hashes
 * the body. Good for 15 minutes: sign just before a measurement.
 */
export async function signRequest(
  method: 'GET' | 'PUT',
  url: URL,
  credentials: Credentials,
  more: Readonly<Record<string, string>> = {},
): Promise<SignedRequest> {
  const signer = new SignatureV4({
    credentials,
    region: credentials.region,
    service: 's3',
    sha256: Sha256,
    uriEscapePath: false,
  });
  const signed = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', ...more },
  });
  const { host: _, ...headers } = signed.headers;
  return { method, url, headers };
}

/** Lua source that returns the list, for requests.lua. */
export function asLua(requests: readonly SignedRequest[]): string {
  const rows = requests.map(({ method, url, headers }) => {
    const fields = Object.entries(headers).map(([name, value]) => `[${quote(name)}]=${quote(value)}`);
    return `  {method=${quote(method)}, path=${quote(url.pathname)}, headers={${fields.join(', ')}}},`;
  });
  return `return {\n${rows.join('\n')}\n}\n`;
}

/** A configuration file for curl -K: the request and its headers, not its output or body. */
export function asCurlConfig({ url, headers }: SignedRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `header = ${quote(`${name}: ${value}`)}`);
  return [`url = ${quote(url.href)}`, ...lines, ''].join('\n');
}

/** Lua, curl and JSON agree on this form for printable ASCII, which is all that occurs here. */
function quote(text: string): string {
  return JSON.stringify(text);
}
