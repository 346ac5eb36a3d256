import type { ContentHeaders, ObjectMetadata, ObjectRef } from '../../../../operations/object.ts';
import type { PutObject } from '../../../../operations/operation.ts';
import type { Conditions } from '../../../../wire/conditions.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import { contentHeaders, userMetadata } from '../../../object-metadata.ts';
import { settingsIn } from '../../traits.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import { readWriteEncryption } from './encryption-headers.ts';
import { treatObjectHeader, unavailable } from './header-rules.ts';

/**
 * Reads a PutObject from its headers.
 * @param headers the request's headers, and those that a presigned URL has in its query
 * @throws GatewayError InvalidArgument (reserved metadata, a header with two values), NotImplemented (an unknown x-amz
 *   header, an archive to be unpacked)
 */
export function readPutObject(ref: ObjectRef, headers: HeaderList): PutObject {
  return {
    kind: 'PutObject',
    ref,
    metadata: readObjectMetadata('PutObject', headers),
    conditions: readWriteConditions(headers),
    encryption: readWriteEncryption(headers, { operation: 'PutObject' }),
  };
}

/** Reads the conditions that S3 has for writes. */
export function readWriteConditions(headers: HeaderList): Conditions {
  return { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') };
}

/**
 * The headers that say what a copy takes over from its source. In other writes they are ignored; s3fs sends one with
 * CreateMultipartUpload.
 */
export const DIRECTIVES = { metadata: 'x-amz-metadata-directive', tags: 'x-amz-tagging-directive' } as const;

const IGNORED_DIRECTIVES: ReadonlySet<string> = new Set(Object.values(DIRECTIVES));

/**
 * Reads what a client stores with an object beside its bytes. `readWriteEncryption` reads the headers about encryption.
 * @param isRead whether the operation itself reads a header that a plain write does not have; gets it in lower case
 * @throws GatewayError InvalidArgument (reserved metadata, a header with two values), NotImplemented (an unknown x-amz
 *   header, an archive to be unpacked)
 */
export function readObjectMetadata(
  operation: string,
  headers: HeaderList,
  isRead: (name: string) => boolean = (name) => IGNORED_DIRECTIVES.has(name),
): ObjectMetadata {
  const vendor = new HeaderList();
  headers.forEach((name, value, raw) => {
    if (!name.startsWith('x-amz-')) return;
    switch (treatObjectHeader(name)) {
      case 'vendor':
        vendor.append(raw, value);
        break;
      case 'unknown':
        if (!isRead(name)) throw unavailable(name, operation);
    }
  });
  return { content: storedContent(headers), user: userMetadata(headers, S3_VOCABULARY), ...settingsIn(vendor) };
}

function storedContent(headers: HeaderList): ContentHeaders {
  const content = contentHeaders(headers);
  return { ...content, contentEncoding: withoutAwsChunked(content.contentEncoding) };
}

/** Removes `aws-chunked` from Content-Encoding. It names the framing of the request, which is not stored. */
function withoutAwsChunked(value: string | undefined): string | undefined {
  if (value === undefined || !/aws-chunked/i.test(value)) return value;
  const kept = value.split(',').filter((coding) => coding.trim().toLowerCase() !== 'aws-chunked');
  const rest = kept.join(',').replace(/^[ \t]+|[ \t]+$/g, '');
  return rest === '' ? undefined : rest;
}
