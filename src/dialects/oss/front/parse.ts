import { clientError, GatewayError } from '../../../errors.ts';
import type { ObjectRef } from '../../../operations/object.ts';
import type { Operation } from '../../../operations/operation.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { FrontSettings, ParsedRequest } from '../../front-dialect.ts';
import { levelOf, resourceOf } from '../address.ts';
import type { SignedPlace } from '../signature/signed-fields.ts';
import { parseOssForm } from './form.ts';
import { parseDeleteMultiple, parsePutBucket, parsePutBucketEncryption } from './requests/bucket-documents.ts';
import { readCopyObject, readUploadPartCopy } from './requests/copies.ts';
import { checkChangeHeaders, checkReadHeaders } from './requests/header-rules.ts';
import {
  isUrlEncoded,
  readListBuckets,
  readListObjects,
  readListObjectsV2,
  readListObjectVersions,
  readListUploads,
} from './requests/listing.ts';
import {
  checkAcl,
  readDeleteObject,
  readGetObject,
  readHeadObject,
  readObjectAcl,
  readPutObject,
} from './requests/objects.ts';
import { routeRequest } from './requests/route.ts';
import {
  MAX_COMPLETE_BYTES,
  readAbort,
  readCompleteHead,
  readInitiate,
  readListParts,
  readPartList,
  readUploadPart,
} from './requests/uploads.ts';

/**
 * Reads what an OSS request asks for. The operation table says which operation it is; the operation's own reader then
 * reads its fields from headers and query.
 * @throws GatewayError NotImplemented for all that the gateway does not handle, and what the readers throw
 */
export function parseOss(request: WireRequest, place: SignedPlace, settings: FrontSettings): ParsedRequest {
  resourceOf(place);
  const level = levelOf(place);
  const { name } = routeRequest(request, level);
  if (level === 'object') return parseObject(name, place, request);
  if (name === 'PostObject') return parseOssForm(place.bucket, request, settings);
  if (level === 'bucket') return parseBucket(name, place.bucket, request);
  checkReadHeaders(request.headers, name);
  return ready(readListBuckets(request.query));
}

function ready(operation: Operation): ParsedRequest {
  return { kind: 'ready', operation };
}

function parseObject(name: string, { bucket, key }: SignedPlace, request: WireRequest): ParsedRequest {
  const { query, headers } = request;
  const ref: ObjectRef = { bucket, key, versionId: readVersionId(query) };
  switch (name) {
    case 'GetObject':
      return ready(readGetObject(ref, query, headers));
    case 'HeadObject':
    case 'GetObjectMeta':
      return ready(readHeadObject(ref, headers, name));
    case 'GetObjectACL':
    case 'PutObjectACL':
      return ready(readObjectAcl(ref, headers, name));
    case 'PutObject':
      return ready(readPutObject(ref, headers));
    case 'CopyObject':
      return ready(readCopyObject(ref, headers));
    case 'DeleteObject':
      return ready(readDeleteObject(ref, headers));
    case 'InitiateMultipartUpload':
      isUrlEncoded(query);
      return ready(readInitiate(ref, headers));
    case 'UploadPart':
      return ready(readUploadPart(ref, query, headers));
    case 'UploadPartCopy':
      return ready(readUploadPartCopy(ref, query, headers));
    case 'ListParts':
      return ready(readListParts(ref, query, headers));
    case 'AbortMultipartUpload':
      return ready(readAbort(ref, query, headers));
    case 'CompleteMultipartUpload': {
      const head = readCompleteHead(ref, query, headers);
      const read = (document: Buffer) => ({ ...head, parts: readPartList(document) });
      return { kind: 'document', name, bucket, maxBytes: MAX_COMPLETE_BYTES, read };
    }
    default:
      throw unhandled(name);
  }
}

function parseBucket(name: string, bucket: string, { query, headers }: WireRequest): ParsedRequest {
  switch (name) {
    case 'PutBucket':
      return parsePutBucket(bucket, headers);
    case 'DeleteMultipleObjects':
      isUrlEncoded(query);
      return parseDeleteMultiple(bucket, headers);
    case 'PutBucketEncryption':
      return parsePutBucketEncryption(bucket, headers);
    case 'DeleteBucket':
    case 'DeleteBucketEncryption':
      checkChangeHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'PutBucketAcl':
      checkAcl(headers, 'x-oss-acl', name);
      return ready({ kind: 'HeadBucket', bucket });
  }
  checkReadHeaders(headers, name);
  switch (name) {
    case 'HeadBucket':
    case 'GetBucketLocation':
    case 'GetBucketEncryption':
      return ready({ kind: name, bucket });
    case 'GetBucketAcl':
      return ready({ kind: 'HeadBucket', bucket });
    case 'GetBucketInfo':
      return ready({ kind: 'HeadBucket', bucket, withDate: true });
    case 'ListObjects':
      return ready(readListObjects(bucket, query));
    case 'ListObjectsV2':
      return ready(readListObjectsV2(bucket, query));
    case 'ListObjectVersions':
      return ready(readListObjectVersions(bucket, query));
    case 'ListMultipartUploads':
      return ready(readListUploads(bucket, query));
    default:
      throw unhandled(name);
  }
}

function readVersionId(query: QueryList): string | undefined {
  const versionId = query.get('versionId');
  if (versionId === '') throw clientError('InvalidArgument', 'The versionId must not be empty.');
  return versionId;
}

/** The error for a row of the operation table that no reader here handles. It is an error of the gateway's. */
function unhandled(name: string): GatewayError {
  return new GatewayError('NotImplemented', `${name} is not available here.`, { source: 'gateway' });
}
