import { clientError } from '../../../../errors.ts';
import type { ObjectRef, ObjectSettings } from '../../../../operations/object.ts';
import type { CopyObject, CopySource } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { settingsIn } from '../../traits.ts';
import { readCopySource } from './copy-source.ts';
import { readSourceEncryption, readWriteEncryption } from './encryption-headers.ts';
import { COPY_SOURCE_HEADERS } from './header-rules.ts';
import { DIRECTIVES, readObjectMetadata, readWriteConditions } from './put-object.ts';
import { readChecksumAlgorithm } from './upload-requests.ts';

/** The x-amz headers that CopyObject has in addition to those of a write. */
const READ_HERE: ReadonlySet<string> = new Set([...Object.values(DIRECTIVES), ...COPY_SOURCE_HEADERS]);

/**
 * Reads a CopyObject from its headers. As in S3, metadata and tags that are sent without the directive REPLACE are
 * ignored.
 * @param headers the request's headers, and those that a presigned URL has in its query
 * @throws GatewayError InvalidArgument, InvalidRequest (a copy onto itself that changes nothing), NotImplemented
 */
export function readCopyObject(ref: ObjectRef, headers: HeaderList): CopyObject {
  const source = { ...readCopySource(headers), encryption: readSourceEncryption(headers) };
  const replacesMetadata = readDirective(headers, DIRECTIVES.metadata) === 'REPLACE';
  const replacesTags = readDirective(headers, DIRECTIVES.tags) === 'REPLACE';
  const { content, user, ...settings } = readObjectMetadata('CopyObject', headers, (name) => READ_HERE.has(name));
  const encryption = readWriteEncryption(headers, { operation: 'CopyObject', copies: true });
  if (isSameObject(ref, source) && !(replacesMetadata || replacesTags || changesItself(headers))) {
    throw clientError(
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing the object’s ' +
        'metadata, storage class, website redirect location or encryption attributes.',
    );
  }
  return {
    kind: 'CopyObject',
    ref,
    source,
    replacement: replacesMetadata ? { content, user } : undefined,
    tags: replacesTags ? 'replace' : 'copy',
    checksumAlgorithm: readChecksumAlgorithm(headers),
    ...(replacesTags ? settings : withoutTags(settings)),
    conditions: readWriteConditions(headers),
    encryption,
  };
}

function readDirective(headers: HeaderList, name: string): string {
  const directive = headers.get(name) ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive;
  throw clientError('InvalidArgument', `${name} must be COPY or REPLACE.`);
}

/** Whether an object is copied onto itself. A copy of an earlier version is another case: it restores the version. */
function isSameObject(ref: ObjectRef, { ref: source }: CopySource): boolean {
  return source.bucket === ref.bucket && source.key === ref.key && source.versionId === undefined;
}

/** What an object that is copied onto itself may be given beside other metadata and tags. */
const CHANGES: readonly string[] = [
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
];

function changesItself(headers: HeaderList): boolean {
  return CHANGES.some((name) => headers.has(name));
}

function withoutTags(settings: ObjectSettings): ObjectSettings {
  const { vendor } = settings;
  return vendor?.headers.has('x-amz-tagging') ? settingsIn(vendor.headers.clone().delete('x-amz-tagging')) : settings;
}
