import { clientError } from '../../../../errors.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type { DeleteObject } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { ParsedRequest } from '../../../front-dialect.ts';
import { DeleteDocument, MAX_DELETE_BYTES } from '../../../xml-family/delete-document.ts';
import { checkKey } from '../../address.ts';
import { CHECKSUM_HEADERS } from '../../checksum.ts';
import { deleteVendorHeaders } from './header-rules.ts';

/**
 * Reads a DeleteObject. Its only condition is If-Match. S3 has conditions on dates and sizes for directory buckets
 * alone.
 * @throws GatewayError NotImplemented
 */
export function readDeleteObject(ref: ObjectRef, headers: HeaderList): DeleteObject {
  for (const name of ['if-none-match', 'if-modified-since', 'if-unmodified-since']) {
    if (headers.has(name)) throw clientError('NotImplemented', `DeleteObject with ${name} is not available.`);
  }
  const conditions = { ifMatch: headers.get('if-match') };
  return { kind: 'DeleteObject', ref, conditions, vendor: deleteVendorHeaders(headers, 'DeleteObject') };
}

/** Reads the head of a DeleteObjects request. @throws GatewayError InvalidRequest, NotImplemented */
export function parseDeleteObjects(bucket: string, headers: HeaderList): ParsedRequest {
  const vendor = deleteVendorHeaders(headers, 'DeleteObjects');
  if (!bodyIsChecked(headers)) {
    // S3 requires an integrity check, because a flipped bit in a key would delete another object.
    throw clientError('InvalidRequest', 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
  }
  const readAsItComes = () => new DeleteDocument(bucket, { vendor, checkKey });
  return {
    kind: 'document',
    name: 'DeleteObjects',
    bucket,
    maxBytes: MAX_DELETE_BYTES,
    readAsItComes,
    read: (document) => {
      const reader = readAsItComes();
      reader.push(document);
      return reader.end();
    },
  };
}

const BODY_CHECKS: readonly string[] = ['content-md5', 'x-amz-trailer', ...CHECKSUM_HEADERS];
const UNCHECKED_PAYLOAD = /^(?:UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER)$/;

function bodyIsChecked(headers: HeaderList): boolean {
  const payload = headers.get('x-amz-content-sha256');
  if (payload !== undefined && !UNCHECKED_PAYLOAD.test(payload)) return true;
  return BODY_CHECKS.some((name) => headers.has(name));
}
