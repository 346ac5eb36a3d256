import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A store that speaks the toy dialect, in memory: `http://toy.test:PORT`, and a host below it for each bucket. */

interface Kept {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modified: string;
  readonly content: object;
  readonly user: unknown[];
}
interface Upload extends Pick<Kept, 'content' | 'user'> {
  readonly key: string;
  readonly begun: string;
  readonly parts: Map<number, Kept>;
}
interface Bucket {
  readonly made: string;
  readonly objects: Map<string, Kept>;
  readonly uploads: Map<string, Upload>;
}
// biome-ignore lint/suspicious/noExplicitAny: whatever a client asks
type Asked = any;

class Refused extends Error {
  readonly status: number;
  constructor(status: number, word: string) {
    super(word);
    this.status = status;
  }
}

export interface ToyStore {
  readonly url: string;
  /** Every host below it is here. */
  readonly lookup: LookupFunction;
  /** What lies there, past HTTP. */
  readonly bytesOf: (bucket: string, key: string) => Buffer | undefined;
  stop(): Promise<void>;
}

export async function startToyStore(secret: string): Promise<ToyStore> {
  const buckets = new Map<string, Bucket>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status = 500, message } = error as Partial<Refused>;
      const told = { 'toy-error': message ?? '', connection: 'close' };
      response.writeHead(status, told).end(request.method === 'HEAD' ? undefined : JSON.stringify({ error: message }));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers, method, url = '/' } = request;
    const body = await buffer(request);
    const call = String(headers['toy-call']);
    const words = [method, headers.host, url, headers['toy-date'], call, headers['toy-asked']].join('\n');
    const [, proof] = String(headers['toy-signature']).split(' ');
    if (proof !== createHmac('sha256', secret).update(words).digest('hex')) throw new Refused(403, 'BadSignature');
    const host = String(headers.host).replace(/\.?toy\.test:\d+$/, '');
    const asked = method === 'POST' ? body : Buffer.from(String(headers['toy-asked']), 'base64url');
    const at = { bucket: host, key: decodeURIComponent(url.slice(1)) };
    const told = calls[call]?.(at, JSON.parse(String(asked)), body);
    if (told === undefined) throw new Refused(501, 'NotImplemented');
    const { bytes, ...rest } = told;
    const inHead = method === 'POST' ? {} : { 'toy-told': Buffer.from(JSON.stringify(rest)).toString('base64url') };
    response.writeHead(200, inHead).end(method === 'POST' ? JSON.stringify(rest) : (bytes as Buffer | undefined));
  }

  const bucketOf = (name: string) => buckets.get(name) ?? refuse(404, 'NoSuchBucket');
  const uploadOf = (bucket: string, id: string) => bucketOf(bucket).uploads.get(id) ?? refuse(404, 'NoSuchUpload');

  const calls: Record<string, (at: { bucket: string; key: string }, asked: Asked, body: Buffer) => Asked> = {
    put({ bucket, key }, { conditions, content, user }, body) {
      const { objects } = bucketOf(bucket);
      judge(conditions, objects.get(key));
      objects.set(key, keep(body, content, user));
      return { etag: objects.get(key)?.etag };
    },
    get({ bucket, key }, { range, conditions }) {
      const found = bucketOf(bucket).objects.get(key) ?? refuse(404, 'NoSuchKey');
      judge(conditions, found, 304);
      const { bytes, ...about } = found;
      if (range === undefined) return { ...about, size: bytes.length, bytes };
      const first = range.suffixBytes === undefined ? range.first : Math.max(0, bytes.length - range.suffixBytes);
      const last = Math.min(range.last ?? bytes.length - 1, bytes.length - 1);
      if (first > last) throw new Refused(416, 'OutOfRange');
      return { ...about, size: bytes.length, first, last, bytes: bytes.subarray(first, last + 1) };
    },
    delete({ bucket, key }, { conditions }) {
      const { objects } = bucketOf(bucket);
      if (conditions.ifMatch !== undefined) judge(conditions, objects.get(key));
      objects.delete(key);
      return {};
    },
    list({ bucket }, { prefix, delimiter, after, continuationToken, maxKeys }) {
      const { objects } = bucketOf(bucket);
      const from: string = continuationToken ?? after;
      const entries: object[] = [];
      const prefixes: string[] = [];
      let next: string | undefined;
      for (const key of [...objects.keys()].sort()) {
        if (
          !key.startsWith(prefix) ||
          key <= from ||
          (prefixes.length > 0 && key.startsWith(prefixes.at(-1) as string))
        )
          continue;
        if (from !== '' && delimiter !== '' && from.endsWith(delimiter) && key.startsWith(from)) continue;
        if (entries.length + prefixes.length === maxKeys) return { entries, prefixes, more: true, next };
        const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
        next = cut === -1 ? key : key.slice(0, cut + delimiter.length);
        if (cut === -1) entries.push({ key, ...described(objects.get(key) as Kept) });
        else prefixes.push(next);
      }
      return { entries, prefixes, more: false };
    },
    listBuckets: () => ({ buckets: [...buckets].map(([name, { made }]) => ({ name, made })) }),
    headBucket: ({ bucket }) => bucketOf(bucket) && {},
    createBucket({ bucket }) {
      if (buckets.has(bucket)) throw new Refused(409, 'BucketAlreadyOwnedByYou');
      return buckets.set(bucket, { made: now(), objects: new Map(), uploads: new Map() }) && {};
    },
    deleteBucket({ bucket }) {
      if (bucketOf(bucket).objects.size > 0) throw new Refused(409, 'BucketNotEmpty');
      return buckets.delete(bucket) && {};
    },
    createUpload({ bucket, key }, { content, user }) {
      const id = randomBytes(8).toString('hex');
      bucketOf(bucket).uploads.set(id, { key, begun: now(), content, user, parts: new Map() });
      return { id };
    },
    uploadPart({ bucket }, { uploadId, partNumber }, body) {
      const part = keep(body, {}, []);
      uploadOf(bucket, uploadId).parts.set(partNumber, part);
      return { etag: part.etag };
    },
    impossiblePart: ({ bucket }, { uploadId }) => uploadOf(bucket, uploadId) && refuse(400, 'BadSum'),
    completeUpload({ bucket, key }, { uploadId, parts, conditions }) {
      const { objects, uploads } = bucketOf(bucket);
      const upload = uploadOf(bucket, uploadId);
      judge(conditions, objects.get(key));
      const kept = parts.map(({ partNumber, etag }: Asked) => {
        const part = upload.parts.get(partNumber);
        return part?.etag === etag ? part : refuse(400, 'InvalidPart');
      }) as Kept[];
      if (kept.slice(0, -1).some(({ bytes }) => bytes.length < 2 ** 20)) throw new Refused(400, 'EntityTooSmall');
      objects.set(key, keep(Buffer.concat(kept.map(({ bytes }) => bytes)), upload.content, upload.user));
      uploads.delete(uploadId);
      return { etag: objects.get(key)?.etag };
    },
    abortUpload: ({ bucket }, { uploadId }) =>
      uploadOf(bucket, uploadId) && bucketOf(bucket).uploads.delete(uploadId) && {},
    listParts({ bucket }, { uploadId, partNumberMarker }) {
      const numbers = [...uploadOf(bucket, uploadId).parts].sort(([one], [other]) => one - other);
      const rest = numbers.filter(([number]) => number > partNumberMarker);
      return {
        parts: rest.slice(0, 5).map(([number, part]) => ({ number, ...described(part) })),
        more: rest.length > 5,
      };
    },
    listUploads({ bucket }, { prefix, keyMarker, uploadIdMarker, maxUploads }) {
      const all = [...bucketOf(bucket).uploads].filter(([, { key }]) => key.startsWith(prefix));
      const sorted = all.map(([id, { key, begun }]) => ({ key, id, begun })).sort((a, b) => order(a, b));
      const rest = sorted.filter((one) => keyMarker === '' || order(one, { key: keyMarker, id: uploadIdMarker }) > 0);
      const last = rest[maxUploads - 1];
      const more = rest.length > maxUploads;
      return { uploads: rest.slice(0, maxUploads), more, ...(more && { next: last?.key, nextId: last?.id }) };
    },
  };

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://toy.test:${(server.address() as AddressInfo).port}`,
    lookup: (_name, { all }, found) =>
      all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4),
    bytesOf: (bucket, key) => buckets.get(bucket)?.objects.get(key)?.bytes,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(status: number, word: string): never {
  throw new Refused(status, word);
}

function now(): string {
  return new Date().toISOString();
}

function order(one: { key: string; id: string }, other: { key: string; id: string }): number {
  return one.key === other.key ? (one.id < other.id ? -1 : Number(one.id > other.id)) : one.key < other.key ? -1 : 1;
}

function keep(bytes: Buffer, content: object, user: unknown[]): Kept {
  return { bytes, etag: createHash('md5').update(bytes).digest('hex'), modified: now(), content, user };
}

function described({ bytes, etag, modified }: Kept): object {
  return { size: bytes.length, etag, modified };
}

function judge({ ifMatch, ifNoneMatch }: Asked, found: Kept | undefined, unchanged = 412): void {
  const names = (condition: string) => found !== undefined && (condition === '*' || condition === `"${found.etag}"`);
  if (ifMatch !== undefined && !names(ifMatch)) throw new Refused(412, 'Failed');
  if (ifNoneMatch !== undefined && names(ifNoneMatch)) throw new Refused(unchanged, 'Failed');
}
