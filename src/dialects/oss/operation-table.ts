import { OVERRIDE_NAMES } from '../response-overrides.ts';
import type { Level } from './address.ts';

/** What the gateway does with an operation; docs/operations.md defines the words. */
export type Treatment = 'sealed' | 'edited' | 'refused';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** An operation of the OSS API, how a request for it is recognised, and what the gateway does with it. */
export interface OssOperation {
  /** The name in the vendor's API reference. */
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

type Address = Pick<OssOperation, 'subresource' | 'needsHeader'> & { readonly parameters?: readonly string[] };

function row(
  treatment: Treatment,
  name: string,
  route: `${Method} ${Level}`,
  address: Address,
  reason: string,
): OssOperation {
  const [method, level] = route.split(' ') as [Method, Level];
  return { name, method, level, treatment, reason, ...address, parameters: address.parameters ?? [] };
}

const READ = { parameters: ['versionId', ...OVERRIDE_NAMES] };
const VERSION = ['versionId'];
const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const PARTS = ['max-parts', 'part-number-marker', 'encoding-type'];
const UPLOADS = ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'];

const COPY_SOURCE = 'x-oss-copy-source';
const OWN_ACL = 'the gateway decides who may do what, and so ACLs are told and taken as private only';

const OBJECTS: readonly OssOperation[] = [
  row('edited', 'GetObjectMeta', 'HEAD object', { subresource: 'objectMeta', parameters: VERSION }, 'plaintext size'),
  row('edited', 'HeadObject', 'HEAD object', { parameters: VERSION }, 'plaintext size, ETag and CRC-64'),
  row('sealed', 'GetObject', 'GET object', READ, 'opened, authenticated segment by segment'),
  row('sealed', 'CopyObject', 'PUT object', { needsHeader: COPY_SOURCE }, 'the ciphertext is copied where it can stay'),
  row('sealed', 'PutObject', 'PUT object', {}, 'sealed before it reaches the store'),
  row('edited', 'DeleteObject', 'DELETE object', { parameters: VERSION }, 'as asked'),
  row(
    'edited',
    'DeleteMultipleObjects',
    'POST bucket',
    { subresource: 'delete', parameters: ['encoding-type'] },
    'as asked',
  ),
  row('sealed', 'PostObject', 'POST bucket', {}, 'the file of a signed form: sealed as it streams in'),
  row('edited', 'GetObjectACL', 'GET object', { subresource: 'acl', parameters: VERSION }, OWN_ACL),
  row('edited', 'PutObjectACL', 'PUT object', { subresource: 'acl', parameters: VERSION }, OWN_ACL),
];

const MULTIPART: readonly OssOperation[] = [
  row(
    'edited',
    'InitiateMultipartUpload',
    'POST object',
    { subresource: 'uploads', parameters: ['encoding-type', 'sequential'] },
    'draws the key of the object; its answer has the key as it is',
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
    { subresource: 'uploadId', parameters: ['encoding-type'] },
    'one more part at the end lists and authenticates the others',
  ),
  row('edited', 'AbortMultipartUpload', 'DELETE object', { subresource: 'uploadId' }, 'as asked'),
  row('edited', 'ListParts', 'GET object', { subresource: 'uploadId', parameters: PARTS }, 'plaintext sizes'),
  row('edited', 'ListMultipartUploads', 'GET bucket', { subresource: 'uploads', parameters: UPLOADS }, 'as asked'),
];

const KEPT_HERE = 'kept by the gateway, which encrypts; the store never learns of it';

const BUCKETS: readonly OssOperation[] = [
  row(
    'edited',
    'ListBuckets',
    'GET service',
    { parameters: ['prefix', 'marker', 'max-keys'] },
    'a tenant sees its own buckets, all at once',
  ),
  row('edited', 'PutBucket', 'PUT bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'HeadBucket', 'HEAD bucket', {}, 'OSS does not document it, and answers it'),
  row('edited', 'DeleteBucket', 'DELETE bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'GetBucketLocation', 'GET bucket', { subresource: 'location' }, 'the region is the gateway’s'),
  row('edited', 'GetBucketInfo', 'GET bucket', { subresource: 'bucketInfo' }, 'the region is the gateway’s'),
  row('edited', 'GetBucketAcl', 'GET bucket', { subresource: 'acl' }, OWN_ACL),
  row('edited', 'PutBucketAcl', 'PUT bucket', { subresource: 'acl' }, OWN_ACL),
  row('edited', 'GetBucketEncryption', 'GET bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'PutBucketEncryption', 'PUT bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'DeleteBucketEncryption', 'DELETE bucket', { subresource: 'encryption' }, KEPT_HERE),
  row(
    'edited',
    'ListObjectsV2',
    'GET bucket',
    { subresource: 'list-type', parameters: [...LIST, 'continuation-token', 'start-after', 'fetch-owner'] },
    'plaintext sizes and ETags',
  ),
  row(
    'edited',
    'ListObjectVersions',
    'GET bucket',
    { subresource: 'versions', parameters: [...LIST, 'key-marker', 'version-id-marker'] },
    'plaintext sizes and ETags',
  ),
  row('edited', 'ListObjects', 'GET bucket', { parameters: [...LIST, 'marker'] }, 'plaintext sizes and ETags'),
];

const BYTES = 'it would let bytes of objects pass without being sealed or opened';
const ANOTHER = 'a store of another dialect has nothing that is quite the same';
const SETTING = 'a setting of the bucket that this gateway does not translate into the store’s dialect';

const REFUSED_OBJECTS: readonly OssOperation[] = (
  [
    ['AppendObject', 'POST', 'append', 'a sealed object ends with what authenticates it, and cannot be continued'],
    ['SelectObject', 'POST', 'x-oss-process', BYTES],
    ['ProcessImage', 'GET', 'x-oss-process', 'the store cannot process what it cannot read'],
    ['AsyncProcessObject', 'POST', 'x-oss-async-process', BYTES],
    ['PutSymlink', 'PUT', 'symlink', ANOTHER],
    ['GetSymlink', 'GET', 'symlink', ANOTHER],
    ['RestoreObject', 'POST', 'restore', ANOTHER],
    ['CleanRestoredObject', 'POST', 'cleanRestoredObject', ANOTHER],
    ['PutObjectTagging', 'PUT', 'tagging', 'tags are set with the object, by x-oss-tagging'],
    ['GetObjectTagging', 'GET', 'tagging', 'tags are set with the object, by x-oss-tagging'],
    ['DeleteObjectTagging', 'DELETE', 'tagging', 'tags are set with the object, by x-oss-tagging'],
    ['SealAppendObject', 'POST', 'seal', 'there are no appendable objects'],
    ['RenameObject', 'PUT', 'x-oss-rename', 'a sealed object is bound to its key'],
    ['PutLiveChannel', 'PUT', 'live', BYTES],
    ['GetLiveChannel', 'GET', 'live', BYTES],
    ['DeleteLiveChannel', 'DELETE', 'live', BYTES],
    ['GetVodPlaylist', 'GET', 'vod', BYTES],
    ['PostVodPlaylist', 'POST', 'vod', BYTES],
  ] as const
).map(([name, method, subresource, reason]) => row('refused', name, `${method} object`, { subresource }, reason));

/** Settings of buckets, by sub-resource, with the methods that the vendor has for each. */
const REFUSED_SETTINGS = {
  BucketAccessMonitor: ['accessmonitor', 'GET PUT'],
  BucketArchiveDirectRead: ['bucketArchiveDirectRead', 'GET PUT'],
  BucketCors: ['cors', 'GET PUT DELETE'],
  BucketHttpsConfig: ['httpsConfig', 'GET PUT'],
  BucketInventory: ['inventory', 'GET PUT DELETE'],
  BucketLifecycle: ['lifecycle', 'GET PUT DELETE'],
  BucketLogging: ['logging', 'GET PUT DELETE'],
  BucketPolicy: ['policy', 'GET PUT DELETE'],
  BucketPolicyStatus: ['policyStatus', 'GET'],
  BucketPublicAccessBlock: ['publicAccessBlock', 'GET PUT DELETE'],
  BucketReferer: ['referer', 'GET PUT'],
  BucketReplication: ['replication', 'GET'],
  BucketReplicationLocation: ['replicationLocation', 'GET'],
  BucketReplicationProgress: ['replicationProgress', 'GET'],
  BucketRequestPayment: ['requestPayment', 'GET PUT'],
  BucketResourceGroup: ['resourceGroup', 'GET PUT'],
  BucketStat: ['stat', 'GET'],
  BucketStyle: ['style', 'GET PUT DELETE'],
  BucketTags: ['tagging', 'GET PUT DELETE'],
  BucketTransferAcceleration: ['transferAcceleration', 'GET PUT'],
  BucketVersioning: ['versioning', 'GET PUT'],
  BucketWebsite: ['website', 'GET PUT DELETE'],
  BucketWorm: ['worm', 'GET POST DELETE'],
  Cname: ['cname', 'GET POST'],
  LiveChannel: ['live', 'GET'],
  MetaQuery: ['metaQuery', 'GET POST'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

const VERBS: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete', POST: 'Post' };

const REFUSED_BUCKETS: readonly OssOperation[] = [
  ...Object.entries(REFUSED_SETTINGS).flatMap(([setting, [subresource, methods]]) =>
    methods
      .split(' ')
      .map((method) =>
        row('refused', `${VERBS[method]}${setting}`, `${method as Method} bucket`, { subresource }, SETTING),
      ),
  ),
  row('refused', 'PostAsyncFetchTask', 'POST bucket', { subresource: 'asyncFetch' }, BYTES),
  row('refused', 'DescribeRegions', 'GET service', { subresource: 'regions' }, 'the gateway has one region'),
];

/**
 * All operations. Rows with the same method, level and sub-resource are tried in this order. A request for anything
 * that is not in the table is answered NotImplemented.
 */
export const OSS_OPERATIONS: readonly OssOperation[] = [
  ...OBJECTS,
  ...MULTIPART,
  ...BUCKETS,
  ...REFUSED_OBJECTS,
  ...REFUSED_BUCKETS,
];
