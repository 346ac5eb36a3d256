import type { BackendConnection, SendOptions } from '../../src/backend/connection.ts';
import { collect } from '../../src/wire/bodies/collect.ts';
import { only } from '../../src/wire/bodies/only.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../src/wire/message.ts';

const SSE = 'x-amz-server-side-encryption';
const SOURCE = 'x-amz-copy-source-server-side-encryption';

/** How an object or an upload is encrypted: the headers that tell it. */
type Encrypted = Readonly<Record<string, string>>;

/** What a request to the store was, and what it said of encryption. Names are without their common beginning. */
export interface AskedToEncrypt {
  readonly what: string;
  readonly own: Readonly<Record<string, string>>;
  readonly source: Readonly<Record<string, string>>;
}

export interface EncryptingConnection {
  readonly connection: BackendConnection;
  /** The requests about objects since the last call. */
  readonly asked: () => AskedToEncrypt[];
  /** What the store does from now on. */
  habit: Habit;
}

/**
 * - `encrypts`: as MinIO does it, which says so of PutObject and UploadPart, and of reads.
 * - `ignores`: it takes the headers and does nothing, as Versity S3 Gateway.
 * - `ignores copies`: only of copies and of Completes.
 * - `has none`: 501, as MinIO without a KMS.
 * - `blocks`: 403 to writes with a key of the client's, as AWS where the bucket blocks SSE-C.
 */
export type Habit = 'encrypts' | 'ignores' | 'ignores copies' | 'has none' | 'blocks';

/**
 * Has the embedded store answer as one that encrypts by itself. No byte is encrypted: it holds requests to what was said
 * before, as MinIO does (measured with RELEASE.2026-02-12), and AWS where MinIO is more lenient.
 */
export function encryptingConnection(inner: BackendConnection, secure = true): EncryptingConnection {
  const objects = new Map<string, Encrypted>();
  const uploads = new Map<string, Encrypted>();
  const asked: AskedToEncrypt[] = [];
  const state: { habit: Habit } = { habit: 'encrypts' };

  async function send(request: OutgoingRequest, options?: SendOptions): Promise<IncomingResponse> {
    const url = new URL(request.path, 'http://store');
    const isObject = /^\/[^/]+\/./.test(url.pathname);
    if (!isObject || url.pathname.includes('sealgate-probe')) return inner.send(request, options);
    const { method, headers } = request;
    const [own, source] = [said(headers, SSE), said(headers, SOURCE)];
    const sent = without(request);
    const uploadId = url.searchParams.get('uploadId');
    const from = headers.get('x-amz-copy-source')?.replace(/\?.*$/, '');
    const what = nameOf(method, { url, from });
    asked.push({ what, own, source });
    if (state.habit === 'ignores') return inner.send(sent, options);
    if (state.habit === 'has none' && own[''] !== undefined) return refusal(501, 'NotImplemented');
    if (state.habit === 'blocks' && method === 'PUT' && isKeyed(own)) return refusal(403, 'AccessDenied');
    if (from !== undefined) {
      const refused = keyRefusal(objects.get(from), source);
      if (refused !== undefined) return refused;
    }
    switch (what) {
      case 'CreateMultipartUpload': {
        const answer = await inner.send(sent, options);
        const document = await collect(answer.body, 100_000, () => new Error('too large') as never);
        const id = /<UploadId>([^<]+)</.exec(document.toString())?.[1];
        if (id !== undefined) uploads.set(id, encrypted(own));
        return { ...answer, body: only(document), discard: () => undefined };
      }
      case 'UploadPart':
      case 'UploadPartCopy': {
        const before = uploads.get(uploadId as string);
        const refused = keyRefusal(before, own);
        if (refused !== undefined) return refused;
        return telling(await inner.send(sent, options), what === 'UploadPart' ? before : undefined);
      }
      case 'CompleteMultipartUpload': {
        const answer = await inner.send(sent, options);
        if (answer.status < 300 && state.habit !== 'ignores copies') {
          set(url.pathname, uploads.get(uploadId as string));
        } else if (answer.status < 300) objects.delete(url.pathname);
        return answer;
      }
      case 'PutObject':
      case 'CopyObject': {
        const answer = await inner.send(sent, options);
        const lies = what === 'CopyObject' && state.habit === 'ignores copies';
        if (answer.status < 300) set(url.pathname, lies ? {} : encrypted(own));
        return telling(answer, what === 'PutObject' ? objects.get(url.pathname) : undefined);
      }
      case 'GetObject':
      case 'HeadObject': {
        const before = objects.get(url.pathname);
        return keyRefusal(before, own) ?? telling(await inner.send(sent, options), before);
      }
      default:
        return inner.send(sent, options);
    }
  }

  function set(path: string, how: Encrypted = {}): void {
    if (Object.keys(how).length === 0) objects.delete(path);
    else objects.set(path, how);
  }

  const connection = new Proxy(inner, {
    get(target, name) {
      if (name === 'send') return send;
      if (name === 'secure') return secure;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return Object.assign(state, { connection, asked: () => asked.splice(0) });
}

function nameOf(method: string, { url, from }: { readonly url: URL; readonly from: string | undefined }): string {
  const { searchParams } = url;
  if (searchParams.has('tagging')) return 'GetObjectTagging';
  if (method === 'GET') return searchParams.has('uploadId') ? 'ListParts' : 'GetObject';
  if (method === 'HEAD') return 'HeadObject';
  if (method === 'DELETE') return searchParams.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'POST') return searchParams.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  const copy = from === undefined ? '' : 'Copy';
  return searchParams.has('partNumber') ? `UploadPart${copy}` : from === undefined ? 'PutObject' : 'CopyObject';
}

/** What the headers say, by their names without the beginning that they share. */
function said(headers: HeaderList, prefix: string): Record<string, string> {
  const told: Record<string, string> = {};
  headers.forEach((name, value) => {
    if (name.startsWith(prefix)) told[name.slice(prefix.length)] = value;
  });
  return told;
}

function without(request: OutgoingRequest): OutgoingRequest {
  const headers = new HeaderList();
  request.headers.forEach((name, value, rawName) => {
    if (!name.startsWith(SSE) && !name.startsWith(SOURCE)) headers.append(rawName, value);
  });
  return { ...request, headers };
}

function isKeyed(own: Readonly<Record<string, string>>): boolean {
  return own['-customer-algorithm'] !== undefined;
}

/** What the store tells of what it was asked. It keeps no key. */
function encrypted(own: Readonly<Record<string, string>>): Encrypted {
  if (isKeyed(own)) {
    const { '-customer-algorithm': algorithm = '', '-customer-key-md5': md5 = '' } = own;
    return { '-customer-algorithm': algorithm, '-customer-key-MD5': md5 };
  }
  const { '': method, '-aws-kms-key-id': keyId = 'default' } = own;
  if (method === undefined) return {};
  return method === 'aws:kms' ? { '': method, '-aws-kms-key-id': `arn:aws:kms:${keyId}` } : { '': method };
}

function keyRefusal(how: Encrypted = {}, own: Readonly<Record<string, string>>): IncomingResponse | undefined {
  const has = how['-customer-key-MD5'];
  if (has === undefined) return isKeyed(own) ? refusal(400, 'InvalidRequest') : undefined;
  if (!isKeyed(own)) return refusal(400, 'InvalidRequest');
  return own['-customer-key-md5'] === has ? undefined : refusal(403, 'AccessDenied');
}

function telling(answer: IncomingResponse, how: Encrypted = {}): IncomingResponse {
  if (answer.status >= 300) return answer;
  const headers = answer.headers.clone();
  for (const [name, value] of Object.entries(how)) headers.append(SSE + name, value);
  return { ...answer, headers, body: answer.body, discard: () => answer.discard() };
}

function refusal(status: number, code: string): IncomingResponse {
  const document = Buffer.from(`<Error><Code>${code}</Code><Message>as it is</Message></Error>`);
  return { status, headers: new HeaderList(), body: only(document), discard: () => undefined };
}
