import { clientError, GatewayError } from '../../../errors.ts';
import type { ObjectRef } from '../../../operations/object.ts';
import type { Forward, Operation } from '../../../operations/operation.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { FrontSettings, ParsedRequest } from '../../front-dialect.ts';
import { type Address, checkNewBucketName, readAddress } from '../address.ts';
import { effectiveHeaders } from '../amz-fields.ts';
import type { S3Operation } from '../operation-row.ts';
import { parseForm } from './form/post-form.ts';
import { parsePutBucketEncryption } from './requests/bucket-encryption.ts';
import { parsePutBucketPolicy } from './requests/bucket-policy.ts';
import { MAX_COMPLETE_BYTES, readCompleteHead, readPartList } from './requests/complete-upload.ts';
import { readCopyObject } from './requests/copy-object.ts';
import { readUploadPartCopy } from './requests/copy-part.ts';
import { parseDeleteObjects, readDeleteObject } from './requests/delete-requests.ts';
import {
  bucketVendorHeaders,
  checkDeleteHeaders,
  checkForwardHeaders,
  checkReadHeaders,
  policyVendorHeaders,
} from './requests/header-rules.ts';
import { readListBuckets, readListObjects, readListObjectsV2, readListObjectVersions } from './requests/listing.ts';
import { readPutObject } from './requests/put-object.ts';
import { readGetObjectAttributes, readRead } from './requests/read-requests.ts';
import {
  checkRestore,
  MAX_CREATE_BUCKET_BYTES,
  MAX_RESTORE_BYTES,
  readCreateBucket,
} from './requests/request-documents.ts';
import { routeRequest } from './requests/route.ts';
import {
  readAbortUpload,
  readCreateUpload,
  readListParts,
  readListUploads,
  readUploadPart,
} from './requests/upload-requests.ts';

/**
 * Reads what an S3 request asks for. The operation table says which operation it is; the operation's own reader then
 * reads its fields from headers and query.
 * @throws GatewayError NotImplemented for all that the gateway does not handle, and what the readers throw
 */
export function parseRequest(request: WireRequest, settings: FrontSettings): ParsedRequest {
  const address = readAddress(request, settings);
  const headers = effectiveHeaders(request);
  const row = routeRequest(request, headers, address.level);
  if (row.treatment === 'forwarded') return parseForward(row, address, request.query, headers);
  if (address.level === 'object') {
    if (row.name === 'CompleteMultipartUpload') return parseComplete(address, request.query, headers);
    return ready(parseObject(row.name, address, request, headers));
  }
  if (address.level === 'bucket') return parseBucket(row.name, address.bucket, request, headers, settings);
  if (row.name === 'ListBuckets') return ready(readListBuckets(request.query, settings));
  throw unhandled(row.name);
}

function ready(operation: Operation): ParsedRequest {
  return { kind: 'ready', operation };
}

function parseObject(
  name: string,
  address: { readonly bucket: string; readonly key: string },
  request: WireRequest,
  headers: HeaderList,
): Operation {
  const ref: ObjectRef = { bucket: address.bucket, key: address.key, versionId: readVersionId(request.query) };
  switch (name) {
    case 'GetObject':
      return { kind: 'GetObject', ...readRead(name, ref, request.query, headers) };
    case 'HeadObject':
      return { kind: 'HeadObject', ...readRead(name, ref, request.query, headers) };
    case 'GetObjectAttributes':
      return readGetObjectAttributes(ref, headers);
    case 'PutObject':
      return readPutObject(ref, headers);
    case 'CopyObject':
      return readCopyObject(ref, headers);
    case 'DeleteObject':
      return readDeleteObject(ref, headers);
    case 'CreateMultipartUpload':
      return readCreateUpload(ref, headers);
    case 'UploadPart':
      return readUploadPart(ref, request.query, headers);
    case 'UploadPartCopy':
      return readUploadPartCopy(ref, request.query, headers);
    case 'ListParts':
      return readListParts(ref, request.query, headers);
    case 'AbortMultipartUpload':
      return readAbortUpload(ref, request.query, headers);
    default:
      throw unhandled(name);
  }
}

function parseBucket(
  name: string,
  bucket: string,
  request: WireRequest,
  headers: HeaderList,
  settings: FrontSettings,
): ParsedRequest {
  const { query } = request;
  switch (name) {
    case 'ListObjects':
      checkReadHeaders(headers, name);
      return ready(readListObjects(bucket, query));
    case 'ListObjectsV2':
      checkReadHeaders(headers, name);
      return ready(readListObjectsV2(bucket, query));
    case 'ListObjectVersions':
      checkReadHeaders(headers, name);
      return ready(readListObjectVersions(bucket, query));
    case 'ListMultipartUploads':
      return ready(readListUploads(bucket, query, headers));
    case 'HeadBucket':
    case 'GetBucketLocation':
      checkReadHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'DeleteBucket':
      checkDeleteHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'GetBucketEncryption':
      checkReadHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'DeleteBucketEncryption':
      checkDeleteHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'PutBucketEncryption':
      return parsePutBucketEncryption(bucket, headers);
    case 'GetBucketPolicy':
    case 'GetBucketPolicyStatus':
    case 'DeleteBucketPolicy':
      return ready({ kind: name, bucket, vendor: policyVendorHeaders(headers, name) });
    case 'PutBucketPolicy':
      return parsePutBucketPolicy(bucket, headers);
    case 'CreateBucket':
      return parseCreateBucket(bucket, headers);
    case 'DeleteObjects':
      return parseDeleteObjects(bucket, headers);
    case 'PostObject':
      return parseForm(bucket, request, headers, settings);
    default:
      throw unhandled(name);
  }
}

function parseComplete(
  { bucket, key }: { readonly bucket: string; readonly key: string },
  query: QueryList,
  headers: HeaderList,
): ParsedRequest {
  const head = readCompleteHead({ bucket, key }, query, headers);
  return {
    kind: 'document',
    name: head.kind,
    bucket,
    maxBytes: MAX_COMPLETE_BYTES,
    read: (document) => ({ ...head, parts: readPartList(document) }),
  };
}

function parseCreateBucket(bucket: string, headers: HeaderList): ParsedRequest {
  checkNewBucketName(bucket);
  const vendor = bucketVendorHeaders(headers);
  return {
    kind: 'document',
    name: 'CreateBucket',
    bucket,
    maxBytes: MAX_CREATE_BUCKET_BYTES,
    read: (document) => readCreateBucket(bucket, vendor, document),
  };
}

function parseForward(row: S3Operation, address: Address, query: QueryList, headers: HeaderList): ParsedRequest {
  if (address.level === 'service') throw unhandled(row.name);
  checkForwardHeaders(headers, row.name);
  const operation: Forward = {
    kind: 'Forward',
    name: row.name,
    bucket: address.bucket,
    key: address.level === 'object' ? address.key : undefined,
    versionId: readVersionId(query),
    changes: row.method !== 'GET' && row.method !== 'HEAD',
    ...(row.subresource === 'cors' && row.method !== 'GET' && { changesOriginRules: true }),
  };
  if (row.name !== 'RestoreObject') return ready(operation);
  return {
    kind: 'document',
    name: row.name,
    bucket: address.bucket,
    maxBytes: MAX_RESTORE_BYTES,
    read: (document) => {
      checkRestore(document);
      return { ...operation, document };
    },
  };
}

function readVersionId(query: QueryList): string | undefined {
  const versionId = query.get('versionId');
  if (versionId === '') throw clientError('InvalidArgument', 'Version id cannot be the empty string.');
  return versionId;
}

/** The error for a row of the operation table that no reader here handles. It is an error of the gateway's. */
function unhandled(name: string): GatewayError {
  return new GatewayError('NotImplemented', `${name} is not available here.`, { source: 'gateway' });
}
