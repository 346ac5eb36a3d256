import type { AskedEncryption } from '../../operations/encryption.ts';
import { namesForOneObject } from '../../operations/folded-keys.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { Operation } from '../../operations/operation.ts';
import { askedEncryption } from '../rules.ts';

/** What a policy judges: one action on one resource, and what the request says of encryption. */
export interface JudgedAction {
  /** In AWS's policy language. */
  readonly action: string;
  /** `bucket` or `bucket/key`. There are several where the store takes several keys for one object. */
  readonly resources: readonly string[];
  /** What the request itself asks, whatever the bucket's default makes of it. */
  readonly asked: AskedEncryption | undefined;
  /**
   * Whether the request continues an upload. How the upload's object is encrypted was asked, and judged, when it began.
   */
  readonly continues: boolean;
}

/** An action with the one name that its request gives to its resource. */
interface NamedAction extends Omit<JudgedAction, 'resources'> {
  readonly bucket: string;
  readonly key: string | undefined;
}

/** What must be known of the store to tell what a key names. */
export interface FoldingStore {
  /** Whether `/a` and `a` are one object in it. */
  readonly foldsFirstSlash: boolean;
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
export function actionsOf(operation: Operation, store: FoldingStore): readonly JudgedAction[] {
  return judgedActions(operation).map((judged) => underAllNames(judged, store));
}

/** The action on a copy's source, which may lie in another bucket. */
export function sourceAction(operation: Operation, store: FoldingStore): JudgedAction | undefined {
  if (!('source' in operation)) return undefined;
  return underAllNames(onVersion('GetObject', operation.source.ref, operation.source.encryption), store);
}

function underAllNames({ bucket, key, ...judged }: NamedAction, { foldsFirstSlash }: FoldingStore): JudgedAction {
  if (key === undefined) return { ...judged, resources: [bucket] };
  return { ...judged, resources: namesForOneObject(key, foldsFirstSlash).map((name) => `${bucket}/${name}`) };
}

function judgedActions(operation: Operation): readonly NamedAction[] {
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
    case 'MoveObject':
      return [
        onObject('PutObject', operation.ref, undefined),
        onObject('DeleteObject', operation.source.ref, undefined),
      ];
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

function onObject(
  name: string,
  { bucket, key }: Pick<ObjectRef, 'bucket' | 'key'>,
  asked: AskedEncryption | undefined,
): NamedAction {
  return { action: `s3:${name}`, bucket, key, asked, continues: false };
}

function onVersion(name: string, ref: ObjectRef, asked: AskedEncryption | undefined): NamedAction {
  return onObject(ref.versionId === undefined ? name : (OF_VERSIONS[name] ?? name), ref, asked);
}

function onBucket(name: string, bucket: string): NamedAction {
  return { action: `s3:${BUCKET_ACTIONS[name] ?? name}`, bucket, key: undefined, asked: undefined, continues: false };
}
