import { clientError } from '../../../../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../../../../operations/object.ts';
import type { DeleteObject, GetObject, HeadObject, PutObject } from '../../../../operations/operation.ts';
import type { Conditions } from '../../../../wire/conditions.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { parseRange } from '../../../../wire/range.ts';
import { contentHeaders, singleHeader, userMetadata } from '../../../object-metadata.ts';
import { readOverrides } from '../../../response-overrides.ts';
import { settingsIn } from '../../traits.ts';
import { meantEtags, OSS_VOCABULARY } from '../../vocabulary.ts';
import { readWriteEncryption } from './encryption-headers.ts';
import { checkChangeHeaders, checkReadHeaders, checkWriteHeaders, FORBID_OVERWRITE } from './header-rules.ts';

/** Reads a PutObject. @throws GatewayError InvalidArgument, InvalidEncryptionAlgorithm, NotImplemented */
export function readPutObject(ref: ObjectRef, headers: HeaderList, operation = 'PutObject'): PutObject {
  return {
    kind: 'PutObject',
    ref,
    metadata: readObjectMetadata(headers, operation),
    conditions: readWriteConditions(headers),
    encryption: readWriteEncryption(headers, operation),
  };
}

/** Reads what a client stores with an object beside its bytes. @throws GatewayError InvalidArgument, NotImplemented */
export function readObjectMetadata(headers: HeaderList, operation: string): ObjectMetadata {
  checkWriteHeaders(headers, operation);
  return { content: contentHeaders(headers), user: userMetadata(headers, OSS_VOCABULARY), ...settingsIn(headers) };
}

/** Reads the conditions of a write. OSS has one of its own, which keeps an object that is there. */
export function readWriteConditions(headers: HeaderList): Conditions {
  if (forbidsOverwrite(headers)) return { ifNoneMatch: '*' };
  return { ifMatch: meantEtags(headers.get('if-match')), ifNoneMatch: meantEtags(headers.get('if-none-match')) };
}

/** Whether an object that is there must be kept. @throws GatewayError InvalidArgument */
export function forbidsOverwrite(headers: HeaderList): boolean {
  const value = singleHeader(headers, FORBID_OVERWRITE)?.toLowerCase();
  if (value !== undefined && value !== 'true' && value !== 'false') {
    throw clientError('InvalidArgument', `${FORBID_OVERWRITE} must be true or false.`);
  }
  return value === 'true';
}

/** Reads a GetObject. @throws GatewayError InvalidArgument */
export function readGetObject(ref: ObjectRef, query: QueryList, headers: HeaderList): GetObject {
  checkReadHeaders(headers, 'GetObject');
  return {
    kind: 'GetObject',
    ...readBasics(ref, headers),
    range: parseRange(headers.get('range')),
    beyondEnd: headers.get('x-oss-range-behavior')?.toLowerCase() === 'standard' ? undefined : 'whole',
    ifRange: meantEtags(headers.get('if-range')),
    overrides: readOverrides(query),
  };
}

/** Reads a HeadObject, which has no range in OSS. @throws GatewayError InvalidArgument */
export function readHeadObject(ref: ObjectRef, headers: HeaderList, operation = 'HeadObject'): HeadObject {
  checkReadHeaders(headers, operation);
  return { kind: 'HeadObject', ...readBasics(ref, headers), range: undefined, ifRange: undefined, overrides: {} };
}

function readBasics(ref: ObjectRef, headers: HeaderList) {
  const conditions: Conditions = {
    ifMatch: meantEtags(headers.get('if-match')),
    ifNoneMatch: meantEtags(headers.get('if-none-match')),
    ifModifiedSince: headers.get('if-modified-since'),
    ifUnmodifiedSince: headers.get('if-unmodified-since'),
  };
  return { ref, conditions, wantsChecksum: false };
}

/** Reads a DeleteObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readDeleteObject(ref: ObjectRef, headers: HeaderList): DeleteObject {
  checkChangeHeaders(headers, 'DeleteObject');
  return { kind: 'DeleteObject', ref, conditions: {} };
}

/**
 * Reads a GetObjectACL or PutObjectACL. The gateway decides who may do what. So every object has the ACL of its
 * bucket (`default`), and may be given no other; what is left to do is to see whether the object is there.
 * @throws GatewayError NotImplemented for another ACL
 */
export function readObjectAcl(ref: ObjectRef, headers: HeaderList, operation: string): HeadObject {
  if (operation === 'PutObjectACL') checkAcl(headers, 'x-oss-object-acl', operation);
  return readHeadObject(ref, headers, operation);
}

/** Checks that a header asks for the ACL that there is anyhow. @throws GatewayError InvalidArgument, NotImplemented */
export function checkAcl(headers: HeaderList, name: string, operation: string): void {
  const acl = singleHeader(headers, name) ?? 'private';
  checkChangeHeaders(headers, operation, new Set([name]));
  if (acl === 'private' || acl === 'default') return;
  throw clientError(
    'NotImplemented',
    `${operation} with the ACL ${acl.slice(0, 32)} is not available: this gateway decides by its own policies.`,
  );
}
