import { clientError, GatewayError } from '../../../errors.ts';
import type { ObjectRef } from '../../../operations/object.ts';
import type { Operation } from '../../../operations/operation.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { FrontSettings, ParsedRequest } from '../../front-dialect.ts';
import { levelOf, type Place, resourceOf } from '../address.ts';
import { parseDeleteMultiple, parsePutBucket, parsePutBucketEncryption } from './requests/bucket-documents.ts';
import { readCopyObject, readUploadPartCopy } from './requests/copies.ts';
import { refuseEncryption } from './requests/encryption-headers.ts';
import { checkChangeHeaders } from './requests/header-rules.ts';
import { readListBuckets, readListObjects, readListObjectVersions, readListUploads } from './requests/listing.ts';
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
 * Reads what a COS request asks for. The operation table says which operation it is; the operation's own reader then
 * reads its fields from headers and query.
 * @throws GatewayError NotImplemented for all that the gateway does not handle, and what the readers throw
 */
export function parseCos(request: WireRequest, place: Place, settings: FrontSettings): ParsedRequest {
  resourceOf(place);
  const level = levelOf(place);
  const { name } = routeRequest(request, level);
  if (level === 'object') return parseObject(name, { place, request, settings });
  if (level === 'bucket') return parseBucket(name, place.bucket, request);
  return ready(readListBuckets(request.query));
}

function ready(operation: Operation): ParsedRequest {
  return { kind: 'ready', operation };
}

interface ObjectRequest {
  readonly place: Place;
  readonly request: WireRequest;
  readonly settings: FrontSettings;
}

function parseObject(name: string, { place: { bucket, key }, request, settings }: ObjectRequest): ParsedRequest {
  const { query, headers } = request;
  const ref: ObjectRef = { bucket, key, versionId: readVersionId(query) };
  switch (name) {
    case 'GetObject':
      return ready(readGetObject(ref, query, headers));
    case 'HeadObject':
      return ready(readHeadObject(ref, headers));
    case 'GetObjectACL':
    case 'PutObjectACL':
      return ready(readObjectAcl(ref, headers, name));
    case 'PutObject':
      return ready(readPutObject(ref, headers));
    case 'PutObjectCopy':
      return ready(readCopyObject(ref, headers, settings));
    case 'DeleteObject':
      return ready(readDeleteObject(ref, headers));
    case 'InitiateMultipartUpload':
      return ready(readInitiate(ref, headers));
    case 'UploadPart':
      return ready(readUploadPart(ref, query, headers));
    case 'UploadPartCopy':
      return ready(readUploadPartCopy(ref, { query, headers }, settings));
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
      return parseDeleteMultiple(bucket, headers);
    case 'PutBucketEncryption':
      return parsePutBucketEncryption(bucket, headers);
  }
  refuseEncryption(headers, name);
  switch (name) {
    case 'DeleteBucket':
    case 'DeleteBucketEncryption':
      checkChangeHeaders(headers, name);
      return ready({ kind: name, bucket });
    case 'PutBucketACL':
      checkAcl(headers, name);
      return ready({ kind: 'HeadBucket', bucket });
    case 'GetBucketACL':
      return ready({ kind: 'HeadBucket', bucket });
    case 'HeadBucket':
    case 'GetBucketLocation':
    case 'GetBucketEncryption':
      return ready({ kind: name, bucket });
    case 'GetBucket':
      return ready(readListObjects(bucket, query));
    case 'GetBucketObjectVersions':
      return ready(readListObjectVersions(bucket, query));
    case 'ListMultipartUploads':
      return ready(readListUploads(bucket, query));
    default:
      throw unhandled(name);
  }
}

/** Empty is absent: SDKs send every parameter that they know. */
function readVersionId(query: QueryList): string | undefined {
  const versionId = query.get('versionId') || undefined;
  if (versionId !== undefined && versionId.length > 1024)
    throw clientError('InvalidArgument', 'The versionId is too long.');
  return versionId;
}

/** The error for a row of the operation table that no reader here handles. It is an error of the gateway's. */
function unhandled(name: string): GatewayError {
  return new GatewayError('NotImplemented', `${name} is not available here.`, { source: 'gateway' });
}
