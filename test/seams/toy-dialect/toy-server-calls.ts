import { createHash, randomBytes } from 'node:crypto';

/** What the toy's server does at each call, past HTTP. */

interface Kept {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly lastModified: string;
  readonly content: object;
  readonly user: unknown[];
}
interface Upload extends Pick<Kept, 'content' | 'user'> {
  readonly key: string;
  readonly initiated: string;
  readonly parts: Map<number, Kept>;
}
export interface ToyBucket {
  readonly created: string;
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
      const { bytes, content, user } = found;
      const about = { ...described(found), metadata: { content, user } };
      if (range === undefined) return { ...about, bytes };
      const first = range.suffixBytes === undefined ? range.first : Math.max(0, bytes.length - range.suffixBytes);
      const last = Math.min(range.last ?? bytes.length - 1, bytes.length - 1);
      if (first > last) refuse(416, 'OutOfRange');
      return { ...about, storedRange: { first, last }, bytes: bytes.subarray(first, last + 1) };
    },
    delete({ bucket, key }, { conditions }) {
      const { objects } = bucketOf(bucket);
      if (conditions.ifMatch !== undefined) judge(conditions, objects.get(key));
      objects.delete(key);
      return { deleteMarker: false };
    },
    list({ bucket }, { prefix, delimiter, after, continuationToken, maxKeys }) {
      const { objects } = bucketOf(bucket);
      const from: string = continuationToken ?? after;
      const entries: object[] = [];
      const commonPrefixes: string[] = [];
      let next: string | undefined;
      for (const key of [...objects.keys()].sort()) {
        const told = commonPrefixes.some((common) => key.startsWith(common));
        if (!key.startsWith(prefix) || key <= from || told) continue;
        if (from !== '' && delimiter !== '' && from.endsWith(delimiter) && key.startsWith(from)) continue;
        if (entries.length + commonPrefixes.length === maxKeys) {
          return { entries, commonPrefixes, truncated: true, nextMarker: next, nextContinuationToken: next };
        }
        const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
        next = cut === -1 ? key : key.slice(0, cut + delimiter.length);
        if (cut === -1) entries.push({ key, ...described(objects.get(key) as Kept) });
        else commonPrefixes.push(next);
      }
      return { entries, commonPrefixes, truncated: false };
    },
    listBuckets: () => ({ buckets: [...buckets].map(([name, { created }]) => ({ name, created })) }),
    headBucket: ({ bucket }) => bucketOf(bucket) && {},
    createBucket({ bucket }) {
      if (buckets.has(bucket)) refuse(409, 'BucketAlreadyOwnedByYou');
      return buckets.set(bucket, { created: now(), objects: new Map(), uploads: new Map() }) && {};
    },
    deleteBucket({ bucket }) {
      if (bucketOf(bucket).objects.size > 0) refuse(409, 'BucketNotEmpty');
      return buckets.delete(bucket) && {};
    },
    createUpload({ bucket, key }, { content, user }) {
      const id = randomBytes(8).toString('hex');
      bucketOf(bucket).uploads.set(id, { key, initiated: now(), content, user, parts: new Map() });
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
      const parts = rest.slice(0, 5).map(([partNumber, part]) => ({ partNumber, ...described(part) }));
      return { parts, truncated: rest.length > 5 };
    },
    listUploads({ bucket }, { prefix, keyMarker, uploadIdMarker, maxUploads }) {
      const all = [...bucketOf(bucket).uploads].filter(([, { key }]) => key.startsWith(prefix));
      const named = all.map(([uploadId, { key, initiated }]) => ({ key, uploadId, initiated }));
      named.sort((one, other) => (placeOf(one) < placeOf(other) ? -1 : 1));
      const from = keyMarker === '' ? '' : placeOf({ key: keyMarker, uploadId: uploadIdMarker });
      const rest = named.filter((one) => placeOf(one) > from);
      const [uploads, truncated] = [rest.slice(0, maxUploads), rest.length > maxUploads];
      const next = { nextKeyMarker: uploads.at(-1)?.key, nextUploadIdMarker: uploads.at(-1)?.uploadId };
      return { uploads, commonPrefixes: [], truncated, ...(truncated && next) };
    },
  };
}

const now = () => new Date().toISOString();
const placeOf = ({ key, uploadId }: Asked): string => `${key}\0${uploadId}`;

function keep(bytes: Buffer, content: object, user: unknown[]): Kept {
  const etag = createHash('md5').update(bytes).digest('hex');
  return { bytes, etag, lastModified: now(), content, user };
}

const described = ({ bytes, etag, lastModified }: Kept) => ({ storedBytes: bytes.length, etag, lastModified });

function judge({ ifMatch, ifNoneMatch }: Asked, found: Kept | undefined, unchanged = 412): void {
  const names = (condition: string) => found !== undefined && (condition === '*' || condition === `"${found.etag}"`);
  if (ifMatch !== undefined && !names(ifMatch)) refuse(412, 'Failed');
  if (ifNoneMatch !== undefined && names(ifNoneMatch)) refuse(unchanged, 'Failed');
}
