/**
 * Every operation of the S3 API by name, and what the gateway does with it. Routing reads this table, the README's
 * table is rendered from it, and what is not in it is NotImplemented: fail closed.
 */

export type Treatment =
  /** Carries object bytes: sealed on the way in, opened on the way out. */
  | 'sealed'
  /** Carries no object bytes, but sizes, ETags, metadata or names: the gateway answers in plaintext's terms. */
  | 'edited'
  /** Carries neither: goes to a backend of the same dialect as it is, re-signed. */
  | 'forwarded'
  | 'refused';

export type Level = 'service' | 'bucket' | 'object';
export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

export interface S3Operation {
  /** As in the S3 API reference, and as in the `x-id` that AWS SDKs send. */
  readonly name: string;
  readonly method: Method;
  readonly level: Level;
  readonly treatment: Treatment;
  /** For the reader: why this treatment. Refusals show it to the client. */
  readonly reason: string;
  /** The query parameter that selects it (`?tagging`). */
  readonly subresource?: string;
  /** A second selector: this parameter or header must be there too. Rows that have one stand before those without. */
  readonly needsParameter?: string;
  readonly needsHeader?: string;
  /** Query parameters that it understands; another one must be without meaning (query-names.ts), or is NotImplemented. */
  readonly parameters: readonly string[];
}

type Address = Pick<S3Operation, 'subresource' | 'needsParameter' | 'needsHeader'> & {
  readonly parameters?: readonly string[];
};

function row(
  treatment: Treatment,
  name: string,
  route: `${Method} ${Level}`,
  address: Address,
  reason: string,
): S3Operation {
  const [method, level] = route.split(' ') as [Method, Level];
  return { name, method, level, treatment, reason, ...address, parameters: address.parameters ?? [] };
}

const RESPONSE_OVERRIDES = [
  'response-content-type',
  'response-content-language',
  'response-expires',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
];
const READ = { parameters: ['versionId', 'partNumber', ...RESPONSE_OVERRIDES] };
const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];

const COPIED =
  'the backend copies the ciphertext under a new envelope; where the protection differs, the gateway opens it and seals it anew';
const LEAKS = 'the backend would pass names or bytes of this bucket to a place that the gateway does not guard';
const OWN_POLICY = 'how this bucket is protected is the gateway’s policy, not a bucket setting';
const SETTING = 'a setting of the bucket; no object bytes';
const TAGS = 'tags and locks are kept beside the object, in clear; no object bytes';
const READ_ONLY = 'reading the setting is harmless; changing it is refused';

const OBJECTS: readonly S3Operation[] = [
  row('sealed', 'GetObject', 'GET object', READ, 'opened, authenticated segment by segment'),
  row('edited', 'HeadObject', 'HEAD object', READ, 'plaintext size, ETag and checksum'),
  row('sealed', 'CopyObject', 'PUT object', { needsHeader: 'x-amz-copy-source' }, COPIED),
  row('sealed', 'PutObject', 'PUT object', {}, 'sealed before it reaches the backend'),
  row('edited', 'DeleteObject', 'DELETE object', { parameters: ['versionId'] }, 'as asked'),
  row('edited', 'DeleteObjects', 'POST bucket', { subresource: 'delete' }, 'as asked'),
  row(
    'edited',
    'GetObjectAttributes',
    'GET object',
    { subresource: 'attributes', parameters: ['versionId'] },
    'plaintext size, ETag, checksum and parts',
  ),
  row('refused', 'RenameObject', 'PUT object', { subresource: 'renameObject' }, 'a sealed object is bound to its key'),
  row('refused', 'UpdateObjectEncryption', 'PUT object', { subresource: 'encryption' }, OWN_POLICY),
  row('sealed', 'PostObject', 'POST bucket', {}, 'the file of a signed form: sealed as it streams in'),
  row('refused', 'GetObjectTorrent', 'GET object', { subresource: 'torrent' }, 'a torrent hands out stored bytes'),
  row(
    'refused',
    'SelectObjectContent',
    'POST object',
    { subresource: 'select' },
    'the backend cannot query what it cannot read',
  ),
  row(
    'forwarded',
    'RestoreObject',
    'POST object',
    { subresource: 'restore', parameters: ['versionId'] },
    'the archive gives the ciphertext back; queries and other places for their results are refused',
  ),
  row(
    'refused',
    'WriteGetObjectResponse',
    'POST service',
    {},
    'it belongs to Object Lambda, which would read stored bytes',
  ),
  ...(['GetObjectAnnotation', 'ListObjectAnnotations', 'PutObjectAnnotation', 'DeleteObjectAnnotation'] as const).map(
    (name) =>
      row(
        'refused',
        name,
        `${name.startsWith('Put') ? 'PUT' : name.startsWith('Delete') ? 'DELETE' : 'GET'} object`,
        { subresource: 'annotation', ...(name === 'GetObjectAnnotation' && { needsParameter: 'annotationName' }) },
        'annotations carry bytes that would not be sealed',
      ),
  ),
];

const UPLOADS = ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'];

const MULTIPART: readonly S3Operation[] = [
  row('edited', 'CreateMultipartUpload', 'POST object', { subresource: 'uploads' }, 'draws the key of the object'),
  row(
    'sealed',
    'UploadPartCopy',
    'PUT object',
    { subresource: 'uploadId', needsHeader: 'x-amz-copy-source', parameters: ['partNumber'] },
    'opened and sealed again, because a part has another key than its source',
  ),
  row(
    'sealed',
    'UploadPart',
    'PUT object',
    { subresource: 'uploadId', parameters: ['partNumber'] },
    'sealed before it reaches the backend; numbers end at 9,999',
  ),
  row(
    'sealed',
    'CompleteMultipartUpload',
    'POST object',
    { subresource: 'uploadId' },
    'one more part at the end lists and authenticates the others',
  ),
  row('edited', 'AbortMultipartUpload', 'DELETE object', { subresource: 'uploadId' }, 'as asked'),
  row(
    'edited',
    'ListParts',
    'GET object',
    { subresource: 'uploadId', parameters: ['max-parts', 'part-number-marker', 'encoding-type'] },
    'plaintext sizes',
  ),
  row('edited', 'ListMultipartUploads', 'GET bucket', { subresource: 'uploads', parameters: UPLOADS }, 'as asked'),
];

const BUCKETS: readonly S3Operation[] = [
  row(
    'edited',
    'ListBuckets',
    'GET service',
    { parameters: ['prefix', 'max-buckets', 'bucket-region', 'continuation-token'] },
    'a tenant sees its own buckets',
  ),
  row('edited', 'HeadBucket', 'HEAD bucket', {}, 'the region is the gateway’s'),
  row('edited', 'CreateBucket', 'PUT bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'DeleteBucket', 'DELETE bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'GetBucketLocation', 'GET bucket', { subresource: 'location' }, 'the region is the gateway’s'),
  row('edited', 'ListObjects', 'GET bucket', { parameters: [...LIST, 'marker'] }, 'plaintext sizes and ETags'),
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
];

/** Sub-resources of an object that carry no bytes of it. */
const OBJECT_SETTINGS: readonly S3Operation[] = (
  [
    ['GetObjectTagging', 'GET', 'tagging'],
    ['PutObjectTagging', 'PUT', 'tagging'],
    ['DeleteObjectTagging', 'DELETE', 'tagging'],
    ['GetObjectAcl', 'GET', 'acl'],
    ['PutObjectAcl', 'PUT', 'acl'],
    ['GetObjectRetention', 'GET', 'retention'],
    ['PutObjectRetention', 'PUT', 'retention'],
    ['GetObjectLegalHold', 'GET', 'legal-hold'],
    ['PutObjectLegalHold', 'PUT', 'legal-hold'],
  ] as const
).map(([name, method, subresource]) =>
  row('forwarded', name, `${method} object`, { subresource, parameters: ['versionId'] }, TAGS),
);

const FORWARDED_BUCKET_SETTINGS: readonly S3Operation[] = (
  [
    ['GetBucketAcl', 'GET', 'acl'],
    ['PutBucketAcl', 'PUT', 'acl'],
    ['GetBucketCors', 'GET', 'cors'],
    ['PutBucketCors', 'PUT', 'cors'],
    ['DeleteBucketCors', 'DELETE', 'cors'],
    ['GetBucketLifecycleConfiguration', 'GET', 'lifecycle'],
    ['PutBucketLifecycleConfiguration', 'PUT', 'lifecycle'],
    ['DeleteBucketLifecycle', 'DELETE', 'lifecycle'],
    ['GetBucketOwnershipControls', 'GET', 'ownershipControls'],
    ['PutBucketOwnershipControls', 'PUT', 'ownershipControls'],
    ['DeleteBucketOwnershipControls', 'DELETE', 'ownershipControls'],
    ['GetBucketPolicy', 'GET', 'policy'],
    ['PutBucketPolicy', 'PUT', 'policy'],
    ['DeleteBucketPolicy', 'DELETE', 'policy'],
    ['GetBucketPolicyStatus', 'GET', 'policyStatus'],
    ['GetBucketRequestPayment', 'GET', 'requestPayment'],
    ['PutBucketRequestPayment', 'PUT', 'requestPayment'],
    ['GetBucketTagging', 'GET', 'tagging'],
    ['PutBucketTagging', 'PUT', 'tagging'],
    ['DeleteBucketTagging', 'DELETE', 'tagging'],
    ['GetBucketVersioning', 'GET', 'versioning'],
    ['PutBucketVersioning', 'PUT', 'versioning'],
    ['GetObjectLockConfiguration', 'GET', 'object-lock'],
    ['PutObjectLockConfiguration', 'PUT', 'object-lock'],
    ['GetPublicAccessBlock', 'GET', 'publicAccessBlock'],
    ['PutPublicAccessBlock', 'PUT', 'publicAccessBlock'],
    ['DeletePublicAccessBlock', 'DELETE', 'publicAccessBlock'],
  ] as const
).map(([name, method, subresource]) => row('forwarded', name, `${method} bucket`, { subresource }, SETTING));

/** Settings that may be read through the gateway, and why they may not be changed. */
const READ_ONLY_BUCKET_SETTINGS: readonly S3Operation[] = (
  [
    ['encryption', 'GetBucketEncryption', 'PutBucketEncryption', 'DeleteBucketEncryption', OWN_POLICY],
    ['logging', 'GetBucketLogging', 'PutBucketLogging', undefined, LEAKS],
    ['notification', 'GetBucketNotificationConfiguration', 'PutBucketNotificationConfiguration', undefined, LEAKS],
    ['replication', 'GetBucketReplication', 'PutBucketReplication', 'DeleteBucketReplication', LEAKS],
    [
      'website',
      'GetBucketWebsite',
      'PutBucketWebsite',
      'DeleteBucketWebsite',
      'a website endpoint of the backend would serve ciphertext past the gateway',
    ],
    [
      'accelerate',
      'GetBucketAccelerateConfiguration',
      'PutBucketAccelerateConfiguration',
      undefined,
      'an accelerated endpoint of the backend goes past the gateway',
    ],
  ] as const
).flatMap(([subresource, get, put, remove, why]) => [
  row('forwarded', get, 'GET bucket', { subresource }, READ_ONLY),
  row('refused', put, 'PUT bucket', { subresource }, why),
  ...(remove === undefined ? [] : [row('refused', remove, 'DELETE bucket', { subresource }, why)]),
]);

/** Reports that the backend writes about a bucket, one configuration an id. */
const REPORT_SETTINGS: readonly S3Operation[] = (
  [
    ['analytics', 'Analytics'],
    ['intelligent-tiering', 'IntelligentTiering'],
    ['inventory', 'Inventory'],
    ['metrics', 'Metrics'],
  ] as const
).flatMap(([subresource, name]) => [
  row(
    'forwarded',
    `GetBucket${name}Configuration`,
    'GET bucket',
    { subresource, needsParameter: 'id', parameters: ['id'] },
    READ_ONLY,
  ),
  row(
    'forwarded',
    `ListBucket${name}Configurations`,
    'GET bucket',
    { subresource, parameters: ['continuation-token'] },
    READ_ONLY,
  ),
  row('refused', `PutBucket${name}Configuration`, 'PUT bucket', { subresource }, LEAKS),
  row('refused', `DeleteBucket${name}Configuration`, 'DELETE bucket', { subresource }, LEAKS),
]);

const NOT_A_BUCKET_OF_THIS_KIND = 'it belongs to directory buckets, which the gateway does not speak';

const REFUSED_BUCKET_SETTINGS: readonly S3Operation[] = [
  row('refused', 'CreateSession', 'GET bucket', { subresource: 'session' }, NOT_A_BUCKET_OF_THIS_KIND),
  row(
    'refused',
    'ListDirectoryBuckets',
    'GET service',
    { subresource: 'directory-buckets' },
    NOT_A_BUCKET_OF_THIS_KIND,
  ),
  row('refused', 'GetBucketAbac', 'GET bucket', { subresource: 'abac' }, NOT_A_BUCKET_OF_THIS_KIND),
  row('refused', 'PutBucketAbac', 'PUT bucket', { subresource: 'abac' }, NOT_A_BUCKET_OF_THIS_KIND),
  ...(
    [
      ['CreateBucketMetadataConfiguration', 'POST', 'metadataConfiguration'],
      ['GetBucketMetadataConfiguration', 'GET', 'metadataConfiguration'],
      ['DeleteBucketMetadataConfiguration', 'DELETE', 'metadataConfiguration'],
      ['CreateBucketMetadataTableConfiguration', 'POST', 'metadataTable'],
      ['GetBucketMetadataTableConfiguration', 'GET', 'metadataTable'],
      ['DeleteBucketMetadataTableConfiguration', 'DELETE', 'metadataTable'],
      ['UpdateBucketMetadataAnnotationTableConfiguration', 'PUT', 'metadataAnnotationTable'],
      ['UpdateBucketMetadataInventoryTableConfiguration', 'PUT', 'metadataInventoryTable'],
      ['UpdateBucketMetadataJournalTableConfiguration', 'PUT', 'metadataJournalTable'],
    ] as const
  ).map(([name, method, subresource]) => row('refused', name, `${method} bucket`, { subresource }, LEAKS)),
];

export const S3_OPERATIONS: readonly S3Operation[] = [
  ...OBJECTS,
  ...MULTIPART,
  ...BUCKETS,
  ...OBJECT_SETTINGS,
  ...FORWARDED_BUCKET_SETTINGS,
  ...READ_ONLY_BUCKET_SETTINGS,
  ...REPORT_SETTINGS,
  ...REFUSED_BUCKET_SETTINGS,
];
