import type { Forward, Operation } from './operation.ts';

/** Whether an operation changes anything in the store: an object, an upload, a bucket, or a setting of one. */
const CHANGES: Readonly<Record<Exclude<Operation['kind'], Forward['kind']>, boolean>> = {
  PutObject: true,
  CopyObject: true,
  MoveObject: true,
  PostObject: true,
  GetObject: false,
  HeadObject: false,
  GetObjectAttributes: false,
  DeleteObject: true,
  DeleteObjects: true,
  ListObjects: false,
  ListObjectVersions: false,
  ListBuckets: false,
  HeadBucket: false,
  CreateBucket: true,
  DeleteBucket: true,
  GetBucketLocation: false,
  GetBucketEncryption: false,
  PutBucketEncryption: true,
  DeleteBucketEncryption: true,
  GetBucketPolicy: false,
  GetBucketPolicyStatus: false,
  PutBucketPolicy: true,
  DeleteBucketPolicy: true,
  CreateMultipartUpload: true,
  UploadPart: true,
  UploadPartCopy: true,
  ListParts: false,
  ListMultipartUploads: false,
  AbortMultipartUpload: true,
  CompleteMultipartUpload: true,
};

/** Whether an operation changes anything. A copy changes its destination and reads its source. */
export function changesAnything(operation: Pick<Operation, 'kind'> & { readonly changes?: boolean }): boolean {
  return operation.kind === 'Forward' ? operation.changes !== false : CHANGES[operation.kind];
}
