import { createHash, randomBytes } from 'node:crypto';

/** What the toy's server does at each call, past HTTP. */

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
export interface ToyBucket {
  readonly made: string;
  readonly objects: Map<string, Kept>;
  readonly uploads: Map<string, Upload>;
}
// biome-ignore lint/suspicious/noExplicitAny: whatever a client asks
type Asked = any;

export function refuse(status: number, word: string): never {
  throw Object.assign(new Error(word), { status });
}

type ToyCall = (at: { bucket: string; key: string }, asked: Asked, body: Buffer) => Asked;

/** The calls by name, over the buckets that they change. An absent one is not implemented. */
export function toyCalls(buckets: Map<string, ToyBucket>): Readonly<Record<string, ToyCall>> {
  const bucketOf = (name: string) => buckets.get(name) ?? refuse(404, 'NoSuchBucket');
  const uploadOf = (bucket: string, id: string) => bucketOf(bucket).uploads.get(id) ?? refuse(404, 'NoSuchUpload');

  return {
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
      if (first > last) refuse(416, 'OutOfRange');
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
        const told = prefixes.some((common) => key.startsWith(common));
        if (!key.startsWith(prefix) || key <= from || told) continue;
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
      if (buckets.has(bucket)) refuse(409, 'BucketAlreadyOwnedByYou');
      return buckets.set(bucket, { made: new Date().toISOString(), objects: new Map(), uploads: new Map() }) && {};
    },
    deleteBucket({ bucket }) {
      if (bucketOf(bucket).objects.size > 0) refuse(409, 'BucketNotEmpty');
      return buckets.delete(bucket) && {};
    },
    createUpload({ bucket, key }, { content, user }) {
      const id = randomBytes(8).toString('hex');
      bucketOf(bucket).uploads.set(id, { key, begun: new Date().toISOString(), content, user, parts: new Map() });
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
      if (kept.slice(0, -1).some(({ bytes }) => bytes.length < 2 ** 20)) refuse(400, 'EntityTooSmall');
      objects.set(key, keep(Buffer.concat(kept.map(({ bytes }) => bytes)), upload.content, upload.user));
      uploads.delete(uploadId);
      return { etag: objects.get(key)?.etag };
    },
    abortUpload: ({ bucket }, { uploadId }) =>
      uploadOf(bucket, uploadId) && bucketOf(bucket).uploads.delete(uploadId) && {},
    listParts({ bucket }, { uploadId, partNumberMarker }) {
      const numbers = [...uploadOf(bucket, uploadId).parts].sort(([one], [other]) => one - other);
      const rest = numbers.filter(([number]) => number > partNumberMarker);
      const parts = rest.slice(0, 5).map(([number, part]) => ({ number, ...described(part) }));
      return { parts, more: rest.length > 5 };
    },
    listUploads({ bucket }, { prefix, keyMarker, uploadIdMarker, maxUploads }) {
      const all = [...bucketOf(bucket).uploads].filter(([, { key }]) => key.startsWith(prefix));
      const sorted = all.map(([id, { key, begun }]) => ({ key, id, begun })).sort((a, b) => order(a, b));
      const rest = sorted.filter((one) => keyMarker === '' || order(one, { key: keyMarker, id: uploadIdMarker }) > 0);
      const [last, more] = [rest[maxUploads - 1], rest.length > maxUploads];
      return { uploads: rest.slice(0, maxUploads), more, ...(more && { next: last?.key, nextId: last?.id }) };
    },
  };
}

function order(one: { key: string; id: string }, other: { key: string; id: string }): number {
  return one.key === other.key ? (one.id < other.id ? -1 : Number(one.id > other.id)) : one.key < other.key ? -1 : 1;
}

function keep(bytes: Buffer, content: object, user: unknown[]): Kept {
  return {
    bytes,
    etag: createHash('md5').update(bytes).digest('hex'),
    modified: new Date().toISOString(),
    content,
    user,
  };
}

const described = ({ bytes, etag, modified }: Kept) => ({ size: bytes.length, etag, modified });

function judge({ ifMatch, ifNoneMatch }: Asked, found: Kept | undefined, unchanged = 412): void {
  const names = (condition: string) => found !== undefined && (condition === '*' || condition === `"${found.etag}"`);
  if (ifMatch !== undefined && !names(ifMatch)) refuse(412, 'Failed');
  if (ifNoneMatch !== undefined && names(ifNoneMatch)) refuse(unchanged, 'Failed');
}
