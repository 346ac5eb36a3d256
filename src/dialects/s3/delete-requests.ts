import { clientError } from '../../errors.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { DeleteObject, DeleteObjects, DeleteTarget } from '../../operations/operation.ts';
import type { HeaderList } from '../../wire/headers.ts';
import { readXml, type XmlElement } from '../../wire/xml.ts';
import type { ParsedRequest } from '../dialect.ts';
import { checkKey } from './address.ts';
import { CHECKSUM_HEADERS } from './checksum.ts';
import { deleteVendorHeaders } from './header-rules.ts';
import { malformed } from './request-documents.ts';

/** 1,000 keys of 1,024 bytes and their version ids, some of it escaped. */
const MAX_DELETE_BYTES = 2 * 1024 * 1024;

const MAX_DELETE_TARGETS = 1000;

/** A deletion is conditional on an ETag only; S3 has dates and sizes for directory buckets alone. @throws GatewayError NotImplemented */
export function readDeleteObject(ref: ObjectRef, headers: HeaderList): DeleteObject {
  for (const name of ['if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    if (headers.has(name)) throw clientError('NotImplemented', `DeleteObject with ${name} is not available.`);
  }
  const conditions = { ifMatch: headers.get('if-match') };
  return { kind: 'DeleteObject', ref, conditions, vendor: deleteVendorHeaders(headers, 'DeleteObject') };
}

/** @throws GatewayError InvalidRequest, NotImplemented; its `read` those of the document */
export function parseDeleteObjects(bucket: string, headers: HeaderList): ParsedRequest {
  const vendor = deleteVendorHeaders(headers, 'DeleteObjects');
  if (!bodyIsChecked(headers)) {
    // A flipped bit in a key would delete another object: S3 wants an integrity check too.
    throw clientError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  return {
    kind: 'document',
    name: 'DeleteObjects',
    bucket,
    maxBytes: MAX_DELETE_BYTES,
    read: (document) => readDeleteObjects(bucket, vendor, document),
  };
}

const BODY_CHECKS: readonly string[] = ['content-md5', 'x-amz-trailer', ...CHECKSUM_HEADERS];
const UNCHECKED_PAYLOAD = /^(?:UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER)$/;

function bodyIsChecked(headers: HeaderList): boolean {
  const payload = headers.get('x-amz-content-sha256');
  if (payload !== undefined && !UNCHECKED_PAYLOAD.test(payload)) return true;
  return BODY_CHECKS.some((name) => headers.has(name));
}

/** @throws GatewayError MalformedBody, NotImplemented, KeyTooLongError, InvalidObjectName */
function readDeleteObjects(bucket: string, vendor: HeaderList, document: Buffer): DeleteObjects {
  const root = readXml(document);
  if (root.name !== 'Delete') throw malformed('must be a Delete document');
  const targets: DeleteTarget[] = [];
  let quiet = false;
  for (const child of root.children) {
    if (child.name === 'Object') targets.push(readTarget(child));
    else if (child.name === 'Quiet') quiet = child.text.trim().toLowerCase() === 'true';
    else throw malformed('has an element in Delete that is not known');
  }
  if (targets.length === 0) throw malformed('names no object');
  if (targets.length > MAX_DELETE_TARGETS) throw malformed(`names more than ${MAX_DELETE_TARGETS} objects`);
  return { kind: 'DeleteObjects', bucket, targets, quiet, vendor };
}

function readTarget(element: XmlElement): DeleteTarget {
  const fields = new Map<string, string>();
  for (const { name, text } of element.children) {
    if (name === 'LastModifiedTime' || name === 'Size') {
      const why = 'S3 has it for directory buckets alone, and the backend knows ciphertext’s size';
      throw clientError('NotImplemented', `DeleteObjects with a condition on ${name} is not available: ${why}.`);
    }
    if (!['Key', 'VersionId', 'ETag'].includes(name) || fields.has(name)) {
      throw malformed('has an element in Object that is doubled or not known');
    }
    fields.set(name, text);
  }
  const key = fields.get('Key') ?? '';
  if (key === '') throw malformed('has an Object without a Key');
  checkKey(key);
  const [versionId, etag] = [fields.get('VersionId') ?? '', fields.get('ETag') ?? ''];
  return { key, ...(versionId !== '' && { versionId }), ...(etag !== '' && { etag }) };
}
