import { GatewayError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { WireRequest } from '../../wire/message.ts';
import type { ParsedRequest } from '../front-dialect.ts';
import { type Address, levelOf, readAddress } from './address.ts';
import { MAX_ACL_BYTES, MAX_DELETE_BYTES, readAcl, readDelete, readListing } from './requests/buckets.ts';
import { readCopyObject, readCopyPart, readMoveObject } from './requests/copies.ts';
import { checkHeaders } from './requests/header-rules.ts';
import {
  readDeleteObject,
  readGetObject,
  readHeadObject,
  readPutObject,
  STORAGE_CLASS_HEADER,
} from './requests/objects.ts';
import { bucketPage } from './requests/paging.ts';
import { routeRequest } from './requests/route.ts';
import {
  MAX_COMPLETE_BYTES,
  readAbort,
  readCompleteHead,
  readInitiate,
  readListParts,
  readListUploads,
  readPartList,
  readUploadPart,
} from './requests/uploads.ts';

/**
 * Reads what a QingStor request asks for. The operation table says which operation it is; the operation's own reader
 * then reads its fields from headers and query.
 * @param host the bucket that the Host header names; undefined in path style
 * @throws GatewayError NotImplemented for all that the gateway does not handle, and what the readers throw
 */
export function parseQingstor(request: WireRequest, host: string | undefined): ParsedRequest {
  const address = readAddress(request, host);
  const level = levelOf(address);
  const { name } = routeRequest(request, level);
  if (level === 'object') return parseObject(name, address, request);
  if (level === 'bucket') return parseBucket(name, address.bucket, request);
  bucketPage(request.query); // The answer reads the page from the query again; bad values must be refused before.
  return ready({ kind: 'ListBuckets', prefix: '' });
}

function ready(operation: Operation): ParsedRequest {
  return { kind: 'ready', operation };
}

function parseObject(name: string, { bucket, key }: Address, { query, headers }: WireRequest): ParsedRequest {
  const ref = { bucket, key };
  switch (name) {
    case 'GetObject':
      return ready(readGetObject(ref, query, headers));
    case 'HeadObject':
      return ready(readHeadObject(ref, headers));
    case 'CopyObject':
      return ready(readCopyObject(ref, query, headers));
    case 'MoveObject':
      return ready(readMoveObject(ref, headers));
    case 'PutObject':
      return ready(readPutObject(ref, headers));
    case 'DeleteObject':
      return ready(readDeleteObject(ref, headers));
    case 'InitiateMultipartUpload':
      return ready(readInitiate(ref, headers));
    case 'UploadMultipart':
      return ready(readUploadPart(ref, query, headers));
    case 'CopyObjectPart':
      return ready(readCopyPart(ref, query, headers));
    case 'ListMultipart':
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
  checkHeaders(headers, name, [STORAGE_CLASS_HEADER]);
  switch (name) {
    case 'DeleteMultipleObjects': {
      const read = (document: Buffer) => readDelete(bucket, document);
      return { kind: 'document', name: 'DeleteObjects', bucket, maxBytes: MAX_DELETE_BYTES, read };
    }
    case 'PutBucketACL': {
      const read = (document: Buffer) => readAcl(bucket, document);
      return { kind: 'document', name: 'HeadBucket', bucket, maxBytes: MAX_ACL_BYTES, read };
    }
    case 'PutBucket':
      return ready({ kind: 'CreateBucket', bucket, location: undefined });
    case 'DeleteBucket':
      return ready({ kind: 'DeleteBucket', bucket });
    case 'HeadBucket':
    case 'GetBucketACL':
      return ready({ kind: 'HeadBucket', bucket });
    case 'GetBucketStatistics':
      return ready({ kind: 'HeadBucket', bucket, withDate: true, withContents: true });
    case 'ListMultipartUploads':
      return ready(readListUploads(bucket, query, headers));
    case 'ListObjects':
      return ready(readListing(bucket, query));
    default:
      throw unhandled(name);
  }
}

/** The error for a row of the operation table that no reader here handles. It is an error of the gateway's. */
function unhandled(name: string): GatewayError {
  return new GatewayError('NotImplemented', `${name} is not available here.`, { source: 'gateway' });
}
