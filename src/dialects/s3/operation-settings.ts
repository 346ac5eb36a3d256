import { row, type S3Operation } from './operation-row.ts';

/* The operations on settings of objects and buckets. None of them carries object bytes. */

const LEAKS = 'the backend would pass names or bytes of this bucket to a place that the gateway does not guard';
const SETTING = 'a setting of the bucket; no object bytes';
const TAGS = 'tags and locks are kept beside the object, in clear; no object bytes';
const READ_ONLY = 'reading the setting is harmless; changing it is refused';

/** Settings of an object that are kept beside its bytes. */
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

const SHARED_OUT =
  'what it says of encryption is kept and held by the gateway, since the backend never sees it; the rest is the backend’s';

const POLICIES: readonly S3Operation[] = (
  [
    ['GetBucketPolicy', 'GET', 'policy'],
    ['PutBucketPolicy', 'PUT', 'policy'],
    ['DeleteBucketPolicy', 'DELETE', 'policy'],
    ['GetBucketPolicyStatus', 'GET', 'policyStatus'],
  ] as const
).map(([name, method, subresource]) => row('edited', name, `${method} bucket`, { subresource }, SHARED_OUT));

/** Settings of a bucket that may be read and not changed: sub-resource, operations, and why changes are refused. */
const READ_ONLY_BUCKET_SETTINGS: readonly S3Operation[] = (
  [
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

/** Reports that a backend writes about a bucket. A bucket has several configurations of each kind, by id. */
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

/** The rows of all these operations, for the operation table. */
export const SETTING_OPERATIONS: readonly S3Operation[] = [
  ...OBJECT_SETTINGS,
  ...FORWARDED_BUCKET_SETTINGS,
  ...POLICIES,
  ...READ_ONLY_BUCKET_SETTINGS,
  ...REPORT_SETTINGS,
  ...REFUSED_BUCKET_SETTINGS,
];
