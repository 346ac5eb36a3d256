import type { BackendDialect } from '../../backend-dialect.ts';
import { abortUpload } from './calls/abort-upload.ts';
import {
  bucketPolicy,
  bucketPolicyStatus,
  deleteBucketPolicy,
  putBucketPolicy,
  tryBucketPolicy,
} from './calls/bucket-policy.ts';
import {
  bucketLocation,
  createBucket,
  deleteBucket,
  headBucket,
  listBuckets,
  tryBucketEncryption,
} from './calls/buckets.ts';
import { completeUpload } from './calls/complete-upload.ts';
import { copy, copyPart } from './calls/copy.ts';
import { createUpload } from './calls/create-upload.ts';
import { deleteMany } from './calls/delete-many.ts';
import { deleteObject } from './calls/delete-object.ts';
import { get, head } from './calls/get.ts';
import { listObjects } from './calls/list-objects.ts';
import { listParts } from './calls/list-parts.ts';
import { listUploads } from './calls/list-uploads.ts';
import { listVersions } from './calls/list-versions.ts';
import { preflight } from './calls/preflight.ts';
import { put } from './calls/put.ts';
import { tags } from './calls/tags.ts';
import { impossiblePart, uploadPart } from './calls/upload-part.ts';
import { readError } from './error.ts';
import { forward } from './forward.ts';
import { s3Grammar } from './grammar.ts';
import { S3_LIMITS } from './limits.ts';
import { sign } from './sign.ts';

/** The back of the S3 dialect: the gateway as a client of an S3-compatible store. */
export const s3Back = {
  name: 's3',
  grammar: s3Grammar,
  calls: {
    put,
    get,
    head,
    delete: deleteObject,
    deleteMany,
    list: listObjects,
    listVersions,
    listBuckets,
    headBucket,
    createBucket,
    deleteBucket,
    bucketLocation,
    tryBucketEncryption,
    bucketPolicy,
    bucketPolicyStatus,
    putBucketPolicy,
    deleteBucketPolicy,
    tryBucketPolicy,
    createUpload,
    uploadPart,
    impossiblePart,
    completeUpload,
    abortUpload,
    listParts,
    listUploads,
    copy,
    copyPart,
    tags,
    preflight,
  },
  limits: S3_LIMITS,
  authorityOf: (endpoint) => endpoint.host,
  sign,
  readError,
  forward,
} satisfies BackendDialect;
