import { clientError } from '../../../../errors.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type { UploadPartCopy } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import type { ByteRange } from '../../../../wire/range.ts';
import { readCopySource } from './copy-source.ts';
import { readLaterEncryption, readSourceEncryption } from './encryption-headers.ts';
import { checkPartCopyHeaders } from './header-rules.ts';
import { readPartNumber, readUploadId } from './upload-requests.ts';

/** Reads an UploadPartCopy. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPartCopy(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPartCopy {
  checkPartCopyHeaders(headers, 'UploadPartCopy');
  return {
    kind: 'UploadPartCopy',
    ref,
    uploadId: readUploadId(query),
    partNumber: readPartNumber(query),
    encryption: readLaterEncryption(headers, { operation: 'UploadPartCopy', copies: true }),
    source: { ...readCopySource(headers), encryption: readSourceEncryption(headers) },
    range: readRange(headers.get('x-amz-copy-source-range')),
  };
}

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

/** Reads the range to copy. Unlike the Range of a GET it needs both ends, and one that cannot be read is an error. */
function readRange(value: string | undefined): ByteRange | undefined {
  if (value === undefined) return undefined;
  const match = RANGE.exec(value);
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  if (match !== null && range.first <= range.last) return range;
  throw clientError(
    'InvalidArgument',
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based ' +
      'offsets of the first and last bytes to copy',
    { details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: value.slice(0, 64) } },
  );
}
