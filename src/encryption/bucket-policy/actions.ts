import type { AskedEncryption } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { Operation } from '../../operations/operation.ts';
import { askedEncryption } from '../rules.ts';

/** What a policy judges: one action on one resource, and what the request says of encryption. */
export interface JudgedAction {
  /** In AWS's policy language. */
  readonly action: string;
  /** `bucket` or `bucket/key`. */
  readonly resource: string;
  /** What the request itself asks, whatever the bucket's default makes of it. */
  readonly asked: AskedEncryption | undefined;
  /**
   * Whether the request continues an upload. How the upload's object is encrypted was asked, and judged, when it began.
   */
  readonly continues: boolean;
}

/**
 * The actions of bucket operations that are not named as the operation is (AWS, "Required permissions for Amazon S3 API
 * operations").
 */
const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  ListObjects: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  HeadBucket: 'ListBucket',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  GetBucketEncryption: 'GetEncryptionConfiguration',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketCors: 'PutBucketCORS',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
  DeleteBucketTagging: 'PutBucketTagging',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  GetBucketReplication: 'GetReplicationConfiguration',
  GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
  GetBucketAnalyticsConfiguration: 'GetAnalyticsConfiguration',
  ListBucketAnalyticsConfigurations: 'GetAnalyticsConfiguration',
  GetBucketIntelligentTieringConfiguration: 'GetIntelligentTieringConfiguration',
  ListBucketIntelligentTieringConfigurations: 'GetIntelligentTieringConfiguration',
  GetBucketInventoryConfiguration: 'GetInventoryConfiguration',
  ListBucketInventoryConfigurations: 'GetInventoryConfiguration',
  GetBucketMetricsConfiguration: 'GetMetricsConfiguration',
  ListBucketMetricsConfigurations: 'GetMetricsConfiguration',
};

/** The actions on objects that have another name where the request names a version. */
const OF_VERSIONS: Readonly<Record<string, string>> = {
  GetObject: 'GetObjectVersion',
  GetObjectAttributes: 'GetObjectVersionAttributes',
  DeleteObject: 'DeleteObjectVersion',
  GetObjectTagging: 'GetObjectVersionTagging',
  PutObjectTagging: 'PutObjectVersionTagging',
  DeleteObjectTagging: 'DeleteObjectVersionTagging',
  GetObjectAcl: 'GetObjectVersionAcl',
  PutObjectAcl: 'PutObjectVersionAcl',
};

/**
 * The actions that a policy must not deny, for an operation to be carried out.
 *
 * Operations on the policy itself have none. In AWS they are always the account's, so that nobody locks himself out of
 * a bucket; the tenant is the account here. Nor has CreateBucket any, since there is no policy yet.
 */
export function actionsOf(operation: Operation): readonly JudgedAction[] {
  switch (operation.kind) {
    case 'ListBuckets':
    case 'CreateBucket':
    case 'GetBucketPolicy':
    case 'GetBucketPolicyStatus':
    case 'PutBucketPolicy':
    case 'DeleteBucketPolicy':
      return [];
    case 'PutObject':
    case 'PostObject':
    case 'CopyObject':
    case 'CreateMultipartUpload':
      return [onObject('PutObject', operation.ref, askedEncryption(operation))];
    case 'UploadPart':
    case 'UploadPartCopy':
    case 'CompleteMultipartUpload':
      return [{ ...onObject('PutObject', operation.ref, askedEncryption(operation)), continues: true }];
    case 'GetObject':
    case 'HeadObject':
      return [onVersion('GetObject', operation.ref, operation.encryption)];
    case 'GetObjectAttributes':
      return ['GetObject', 'GetObjectAttributes'].map((name) => onVersion(name, operation.ref, operation.encryption));
    case 'DeleteObject':
      return [onVersion('DeleteObject', operation.ref, undefined)];
    case 'DeleteObjects':
      return operation.targets.map((target) =>
        onVersion('DeleteObject', { ...target, bucket: operation.bucket }, undefined),
      );
    case 'ListParts':
      return [onObject('ListMultipartUploadParts', operation.ref, askedEncryption(operation))];
    case 'AbortMultipartUpload':
      return [onObject('AbortMultipartUpload', operation.ref, undefined)];
    case 'Forward': {
      const { name, bucket, key, versionId } = operation;
      return [key === undefined ? onBucket(name, bucket) : onVersion(name, { bucket, key, versionId }, undefined)];
    }
    default:
      return [onBucket(operation.kind, operation.bucket)];
  }
}

/** The action on a copy's source, which may lie in another bucket. */
export function sourceAction(operation: Operation): JudgedAction | undefined {
  if (!('source' in operation)) return undefined;
  return onVersion('GetObject', operation.source.ref, operation.source.encryption);
}

function onObject(
  name: string,
  { bucket, key }: Pick<ObjectRef, 'bucket' | 'key'>,
  asked: AskedEncryption | undefined,
): JudgedAction {
  return { action: `s3:${name}`, resource: `${bucket}/${key}`, asked, continues: false };
}

function onVersion(name: string, ref: ObjectRef, asked: AskedEncryption | undefined): JudgedAction {
  return onObject(ref.versionId === undefined ? name : (OF_VERSIONS[name] ?? name), ref, asked);
}

function onBucket(name: string, bucket: string): JudgedAction {
  return { action: `s3:${BUCKET_ACTIONS[name] ?? name}`, resource: bucket, asked: undefined, continues: false };
}
