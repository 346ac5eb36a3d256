import { OVERRIDE_NAMES } from '../response-overrides.ts';
import type { Level } from './address.ts';

/** What the gateway does with an operation; docs/operations.md defines the words. */
export type Treatment = 'sealed' | 'edited' | 'refused';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** An operation of the COS API, how a request for it is recognised, and what the gateway does with it. */
export interface CosOperation {
  /** The name in the vendor's API reference, in one word. */
  readonly name: string;
  readonly method: Method;
  readonly level: Level;
  readonly treatment: Treatment;
  /** Why the operation is treated so, for docs/operations.md. A refusal tells it to the client, too. */
  readonly reason: string;
  /** The query parameter that selects the operation. */
  readonly subresource?: string;
  /** A header that must be present too. Rows that need one stand before those that do not. */
  readonly needsHeader?: string;
  /** The other query parameters that the operation understands. Any further one is refused. */
  readonly parameters: readonly string[];
}

type Address = Pick<CosOperation, 'subresource' | 'needsHeader'> & { readonly parameters?: readonly string[] };

function row(
  treatment: Treatment,
  name: string,
  route: `${Method} ${Level}`,
  address: Address,
  reason: string,
): CosOperation {
  const [method, level] = route.split(' ') as [Method, Level];
  return { name, method, level, treatment, reason, ...address, parameters: address.parameters ?? [] };
}

const READ = { parameters: ['versionId', ...OVERRIDE_NAMES] };
const VERSION = ['versionId'];
const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const PARTS = ['max-parts', 'part-number-marker', 'encoding-type'];
const UPLOADS = ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'];
const SERVICE = ['prefix', 'marker', 'max-keys', 'region', 'create-time', 'range', 'tagkey', 'tagvalue'];

const COPY_SOURCE = 'x-cos-copy-source';
const OWN_ACL = 'the gateway decides who may do what, and so ACLs are told and taken as private only';
const LISTED = 'plaintext sizes and ETags';

const OBJECTS: readonly CosOperation[] = [
  row('edited', 'HeadObject', 'HEAD object', { parameters: VERSION }, 'plaintext size and ETag'),
  row('sealed', 'GetObject', 'GET object', READ, 'opened, authenticated segment by segment'),
  row(
    'sealed',
    'PutObjectCopy',
    'PUT object',
    { needsHeader: COPY_SOURCE },
    'the ciphertext is copied where it can stay',
  ),
  row('sealed', 'PutObject', 'PUT object', {}, 'sealed before it reaches the store'),
  row('edited', 'DeleteObject', 'DELETE object', { parameters: VERSION }, 'as asked'),
  row('edited', 'DeleteMultipleObjects', 'POST bucket', { subresource: 'delete' }, 'as asked'),
  row('edited', 'GetObjectACL', 'GET object', { subresource: 'acl', parameters: VERSION }, OWN_ACL),
  row('edited', 'PutObjectACL', 'PUT object', { subresource: 'acl', parameters: VERSION }, OWN_ACL),
];

const MULTIPART: readonly CosOperation[] = [
  row(
    'edited',
    'InitiateMultipartUpload',
    'POST object',
    { subresource: 'uploads' },
    'draws the key of the object, and keeps the upload’s state sealed',
  ),
  row(
    'sealed',
    'UploadPartCopy',
    'PUT object',
    { subresource: 'uploadId', needsHeader: COPY_SOURCE, parameters: ['partNumber'] },
    'opened and sealed again, because a part has another key than its source',
  ),
  row(
    'sealed',
    'UploadPart',
    'PUT object',
    { subresource: 'uploadId', parameters: ['partNumber'] },
    'sealed before it reaches the store; numbers end at 9,999',
  ),
  row(
    'sealed',
    'CompleteMultipartUpload',
    'POST object',
    { subresource: 'uploadId' },
    'one more part at the end lists and authenticates the others',
  ),
  row('edited', 'AbortMultipartUpload', 'DELETE object', { subresource: 'uploadId' }, 'as asked'),
  row('edited', 'ListParts', 'GET object', { subresource: 'uploadId', parameters: PARTS }, 'plaintext sizes'),
  row('edited', 'ListMultipartUploads', 'GET bucket', { subresource: 'uploads', parameters: UPLOADS }, 'as asked'),
];

const KEPT_HERE = 'kept by the gateway, which encrypts; the store never learns of it';

const BUCKETS: readonly CosOperation[] = [
  row('edited', 'GetService', 'GET service', { parameters: SERVICE }, 'a tenant sees its own buckets'),
  row('edited', 'PutBucket', 'PUT bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'HeadBucket', 'HEAD bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'DeleteBucket', 'DELETE bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'GetBucketLocation', 'GET bucket', { subresource: 'location' }, 'the region is the gateway’s'),
  row('edited', 'GetBucketACL', 'GET bucket', { subresource: 'acl' }, OWN_ACL),
  row('edited', 'PutBucketACL', 'PUT bucket', { subresource: 'acl' }, OWN_ACL),
  row('edited', 'GetBucketEncryption', 'GET bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'PutBucketEncryption', 'PUT bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'DeleteBucketEncryption', 'DELETE bucket', { subresource: 'encryption' }, KEPT_HERE),
  row(
    'edited',
    'GetBucketObjectVersions',
    'GET bucket',
    { subresource: 'versions', parameters: [...LIST, 'key-marker', 'version-id-marker'] },
    LISTED,
  ),
  row('edited', 'GetBucket', 'GET bucket', { parameters: [...LIST, 'marker'] }, LISTED),
];

const BYTES = 'it would let bytes of objects pass without being sealed or opened';
const ANOTHER = 'a store of another dialect has nothing that is quite the same';
const SETTING = 'a setting of the bucket that this gateway does not translate into the store’s dialect';
const TAGS = 'tags are set with the object, by x-cos-tagging';
const UNREADABLE = 'the store cannot process what it cannot read';

const REFUSED_OBJECTS: readonly CosOperation[] = (
  [
    ['AppendObject', 'POST', 'append', 'a sealed object ends with what authenticates it, and cannot be continued'],
    ['RenameObject', 'PUT', 'rename', 'a sealed object is bound to its key'],
    ['SelectObjectContent', 'POST', 'select', BYTES],
    ['ProcessImage', 'GET', 'ci-process', UNREADABLE],
    ['ProcessImageOfObject', 'POST', 'image_process', UNREADABLE],
    ['PutSymlink', 'PUT', 'symlink', ANOTHER],
    ['GetSymlink', 'GET', 'symlink', ANOTHER],
    ['RestoreObject', 'POST', 'restore', ANOTHER],
    ['PutObjectTagging', 'PUT', 'tagging', TAGS],
    ['GetObjectTagging', 'GET', 'tagging', TAGS],
    ['DeleteObjectTagging', 'DELETE', 'tagging', TAGS],
    ['PutObjectRetention', 'PUT', 'retention', ANOTHER],
    ['GetObjectRetention', 'GET', 'retention', ANOTHER],
    ['ModifyObjectAttributes', 'PUT', 'metadata', 'a sealed object is bound to its metadata; copy it onto itself'],
    ['TruncateObject', 'POST', 'truncate', 'a sealed object ends with what authenticates it, and cannot be cut'],
  ] as const
).map(([name, method, subresource, reason]) => row('refused', name, `${method} object`, { subresource }, reason));

/** Settings of buckets, by sub-resource, with the methods that the vendor has for each. */
const REFUSED_SETTINGS = {
  BucketAccelerate: ['accelerate', 'GET PUT'],
  BucketCORS: ['cors', 'GET PUT DELETE'],
  BucketDomain: ['domain', 'GET PUT DELETE'],
  BucketDomainCertificate: ['domaincertificate', 'GET PUT DELETE'],
  BucketIntelligentTiering: ['intelligenttiering', 'GET PUT'],
  BucketIntelligentTieringConfiguration: ['intelligent-tiering', 'GET PUT'],
  BucketInventory: ['inventory', 'GET PUT POST DELETE'],
  BucketLifecycle: ['lifecycle', 'GET PUT DELETE'],
  BucketLogging: ['logging', 'GET PUT'],
  BucketObjectLock: ['object-lock', 'GET PUT'],
  BucketOrigin: ['origin', 'GET PUT DELETE'],
  BucketPolicy: ['policy', 'GET PUT DELETE'],
  BucketReferer: ['referer', 'GET PUT DELETE'],
  BucketReplication: ['replication', 'GET PUT DELETE'],
  BucketTagging: ['tagging', 'GET PUT DELETE'],
  BucketVersioning: ['versioning', 'GET PUT'],
  BucketWebsite: ['website', 'GET PUT DELETE'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

const VERBS: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete', POST: 'Post' };

const REFUSED_BUCKETS: readonly CosOperation[] = Object.entries(REFUSED_SETTINGS).flatMap(
  ([setting, [subresource, methods]]) =>
    methods
      .split(' ')
      .map((method) =>
        row('refused', `${VERBS[method]}${setting}`, `${method as Method} bucket`, { subresource }, SETTING),
      ),
);

/**
 * All operations. Rows with the same method, level and sub-resource are tried in this order. A request for anything
 * that is not in the table is answered NotImplemented.
 */
export const COS_OPERATIONS: readonly CosOperation[] = [
  ...OBJECTS,
  ...MULTIPART,
  ...BUCKETS,
  ...REFUSED_OBJECTS,
  ...REFUSED_BUCKETS,
];
