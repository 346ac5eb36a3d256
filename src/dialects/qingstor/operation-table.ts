import { OVERRIDE_NAMES } from '../response-overrides.ts';

/** What the gateway does with an operation; docs/operations.md defines the words. */
export type Treatment = 'sealed' | 'edited' | 'refused';

/** What the address of a request names. */
export type Level = 'service' | 'bucket' | 'object';
export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** An operation of the QingStor API, how a request for it is recognised, and what the gateway does with it. */
export interface QingstorOperation {
  /** The name in the vendor's API reference and SDKs. */
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

type Address = Pick<QingstorOperation, 'subresource' | 'needsHeader'> & { readonly parameters?: readonly string[] };

function row(
  treatment: Treatment,
  name: string,
  route: `${Method} ${Level}`,
  address: Address,
  reason: string,
): QingstorOperation {
  const [method, level] = route.split(' ') as [Method, Level];
  return { name, method, level, treatment, reason, ...address, parameters: address.parameters ?? [] };
}

export const COPY_SOURCE = 'x-qs-copy-source';
export const MOVE_SOURCE = 'x-qs-move-source';
const FETCH_SOURCE = 'x-qs-fetch-source';

const BYTES = 'it would let bytes of objects pass without being sealed or opened';
const SEALED_AGAIN = 'opened and sealed again, because a part has another key than its source';

const OBJECTS: readonly QingstorOperation[] = [
  row('sealed', 'GetObject', 'GET object', { parameters: OVERRIDE_NAMES }, 'opened, authenticated segment by segment'),
  row('edited', 'HeadObject', 'HEAD object', {}, 'plaintext size and ETag'),
  row(
    'sealed',
    'CopyObject',
    'PUT object',
    { needsHeader: COPY_SOURCE, parameters: ['copy_source'] },
    'the ciphertext is copied where it can stay; an object may be copied onto itself',
  ),
  row(
    'sealed',
    'MoveObject',
    'PUT object',
    { needsHeader: MOVE_SOURCE },
    'the ciphertext is copied and the source deleted, without any key; within a bucket only',
  ),
  row('refused', 'FetchObject', 'PUT object', { needsHeader: FETCH_SOURCE }, BYTES),
  row('sealed', 'PutObject', 'PUT object', {}, 'sealed before it reaches the store'),
  row('edited', 'DeleteObject', 'DELETE object', {}, 'as asked'),
  row('edited', 'DeleteMultipleObjects', 'POST bucket', { subresource: 'delete' }, 'as asked'),
  row('refused', 'PostObject', 'POST bucket', {}, 'uploads by form are not available in this dialect'),
  row(
    'refused',
    'AppendObject',
    'POST object',
    { subresource: 'append' },
    'a sealed object ends with what authenticates it, and cannot be continued',
  ),
  row(
    'refused',
    'ImageProcess',
    'GET object',
    { subresource: 'image' },
    'the store cannot process what it cannot read',
  ),
];

const MULTIPART: readonly QingstorOperation[] = [
  row('edited', 'InitiateMultipartUpload', 'POST object', { subresource: 'uploads' }, 'draws the key of the object'),
  row(
    'sealed',
    'CopyObjectPart',
    'PUT object',
    { subresource: 'upload_id', needsHeader: COPY_SOURCE, parameters: ['part_number'] },
    SEALED_AGAIN,
  ),
  row(
    'sealed',
    'UploadMultipart',
    'PUT object',
    { subresource: 'upload_id', parameters: ['part_number'] },
    'sealed before it reaches the store; numbers are from 0 to 9,998',
  ),
  row(
    'sealed',
    'CompleteMultipartUpload',
    'POST object',
    { subresource: 'upload_id' },
    'one more part at the end lists and authenticates the others; ETags of parts may be left out',
  ),
  row('edited', 'AbortMultipartUpload', 'DELETE object', { subresource: 'upload_id' }, 'as asked'),
  row(
    'edited',
    'ListMultipart',
    'GET object',
    { subresource: 'upload_id', parameters: ['part_number_marker', 'limit'] },
    'plaintext sizes',
  ),
  row(
    'edited',
    'ListMultipartUploads',
    'GET bucket',
    {
      subresource: 'uploads',
      parameters: ['prefix', 'delimiter', 'limit', 'key_marker', 'marker', 'upload_id_marker'],
    },
    'as asked',
  ),
];

const OWN_ACL = 'the gateway decides who may do what, and so the owner alone is told, and taken, as the grantee';

const BUCKETS: readonly QingstorOperation[] = [
  row(
    'edited',
    'ListBuckets',
    'GET service',
    { parameters: ['offset', 'limit'] },
    'a tenant sees its own buckets; the location is the gateway’s region',
  ),
  row('edited', 'PutBucket', 'PUT bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'HeadBucket', 'HEAD bucket', {}, 'as asked'),
  row('edited', 'DeleteBucket', 'DELETE bucket', {}, 'only within the tenant’s patterns'),
  row(
    'edited',
    'GetBucketStatistics',
    'GET bucket',
    { subresource: 'stats' },
    'counted by listing, with plaintext sizes; the count ends at 100,000 objects',
  ),
  row('edited', 'GetBucketACL', 'GET bucket', { subresource: 'acl' }, OWN_ACL),
  row('edited', 'PutBucketACL', 'PUT bucket', { subresource: 'acl' }, OWN_ACL),
  row(
    'edited',
    'ListObjects',
    'GET bucket',
    { parameters: ['prefix', 'delimiter', 'marker', 'limit'] },
    'plaintext sizes and ETags',
  ),
];

const SETTING = 'a setting of the bucket that this gateway does not translate into the store’s dialect';

/** Settings of buckets, by sub-resource, with the methods that the vendor has for each. */
const REFUSED_SETTINGS = {
  BucketCNAME: ['cname', 'GET PUT DELETE'],
  BucketCORS: ['cors', 'GET PUT DELETE'],
  BucketExternalMirror: ['mirror', 'GET PUT DELETE'],
  BucketLifecycle: ['lifecycle', 'GET PUT DELETE'],
  BucketLogging: ['logging', 'GET PUT DELETE'],
  BucketNotification: ['notification', 'GET PUT DELETE'],
  BucketPolicy: ['policy', 'GET PUT DELETE'],
  BucketReplication: ['replication', 'GET PUT DELETE'],
  BucketVersioning: ['versioning', 'GET PUT'],
  ObjectVersions: ['versions', 'GET'],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

const VERBS: Readonly<Record<string, string>> = { GET: 'Get', PUT: 'Put', DELETE: 'Delete' };

const REFUSED: readonly QingstorOperation[] = Object.entries(REFUSED_SETTINGS).flatMap(
  ([setting, [subresource, methods]]) =>
    methods
      .split(' ')
      .map((method) =>
        row('refused', `${VERBS[method]}${setting}`, `${method as Method} bucket`, { subresource }, SETTING),
      ),
);

/**
 * All operations. Rows with the same method, level and sub-resource are tried in this order. A request for anything
 * that is not in the table is answered not_implemented.
 */
export const QINGSTOR_OPERATIONS: readonly QingstorOperation[] = [...OBJECTS, ...MULTIPART, ...BUCKETS, ...REFUSED];
