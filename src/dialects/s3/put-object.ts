import { clientError } from '../../errors.ts';
import type { ContentHeaders, MetadataEntry, ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { PutObject } from '../../operations/operation.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { HeaderList } from '../../wire/headers.ts';
import { asksEncryption, checkWriteEncryption } from './encryption-headers.ts';
import { METADATA_PREFIX, treatObjectHeader, unavailable } from './header-rules.ts';

/** The gateway keeps its envelope in user metadata under names that begin so; clients neither see nor send them. */
const RESERVED_METADATA_PREFIX = 'sx1';

/**
 * PutObject from its headers.
 * @param headers with those that a presigned URL carries in its query
 * @throws GatewayError InvalidArgument (reserved metadata), NotImplemented (an x-amz header that would be ignored)
 */
export function readPutObject(ref: ObjectRef, headers: HeaderList): PutObject {
  return {
    kind: 'PutObject',
    ref,
    metadata: readObjectMetadata('PutObject', headers),
    conditions: readWriteConditions(headers),
    asksEncryption: asksEncryption(headers),
  };
}

export function readWriteConditions(headers: HeaderList): Conditions {
  return { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') };
}

/**
 * What a client stores beside an object's bytes.
 * @param isRead whether the operation reads a header itself that a plain write does not have
 * @throws GatewayError InvalidArgument (reserved metadata), NotImplemented (an x-amz header that would be ignored)
 */
export function readObjectMetadata(
  operation: string,
  headers: HeaderList,
  isRead: (name: string) => boolean = () => false,
): ObjectMetadata {
  const user: [name: string, value: string][] = [];
  const vendor = new HeaderList();
  headers.forEach((name, value, raw) => {
    if (!name.startsWith('x-amz-')) return;
    switch (treatObjectHeader(name)) {
      case 'metadata':
        addMetadata(user, name.slice(METADATA_PREFIX.length), value);
        break;
      case 'vendor':
        vendor.append(raw, value);
        break;
      case 'sse':
        checkWriteEncryption(headers, operation);
        break;
      case 'unknown':
        if (!isRead(name)) throw unavailable(name, operation);
    }
  });
  return { content: contentHeaders(headers), user, vendor };
}

function addMetadata(user: [name: string, value: string][], name: string, value: string): void {
  if (name === '') throw clientError('InvalidArgument', 'A user metadata header needs a name after x-amz-meta-.');
  if (name.startsWith(RESERVED_METADATA_PREFIX)) {
    throw clientError('InvalidArgument', 'User metadata names that begin with sx1 are the gateway’s own.');
  }
  const earlier = user.find((entry: MetadataEntry) => entry[0] === name);
  // A repeated field is one field with its values joined by a comma (RFC 9110 §5.3); it was signed that way too.
  if (earlier === undefined) user.push([name, value]);
  else earlier[1] = `${earlier[1]},${value}`;
}

function contentHeaders(headers: HeaderList): ContentHeaders {
  return {
    contentType: headers.get('content-type'),
    cacheControl: joined(headers, 'cache-control'),
    contentDisposition: headers.get('content-disposition'),
    contentEncoding: withoutAwsChunked(joined(headers, 'content-encoding')),
    contentLanguage: joined(headers, 'content-language'),
    expires: headers.get('expires'),
  };
}

function joined(headers: HeaderList, name: string): string | undefined {
  const values = headers.getAll(name);
  return values.length < 2 ? values[0] : values.join(', ');
}

/** `aws-chunked` names the transfer framing, which ends here; it must not be stored (`aws-chunked,gzip` → `gzip`). */
function withoutAwsChunked(value: string | undefined): string | undefined {
  if (value === undefined || !/aws-chunked/i.test(value)) return value;
  const kept = value.split(',').filter((coding) => coding.trim().toLowerCase() !== 'aws-chunked');
  const rest = kept.join(',').trim();
  return rest === '' ? undefined : rest;
}
