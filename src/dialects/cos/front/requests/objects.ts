import { clientError } from '../../../../errors.ts';
import type { ContentHeaders, ObjectMetadata, ObjectRef } from '../../../../operations/object.ts';
import type { DeleteObject, GetObject, HeadObject, PutObject } from '../../../../operations/operation.ts';
import type { Conditions } from '../../../../wire/conditions.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { parseRange } from '../../../../wire/range.ts';
import { contentHeaders, singleHeader, userMetadata } from '../../../object-metadata.ts';
import { readOverrides } from '../../../response-overrides.ts';
import { ACL, settingsIn } from '../../traits.ts';
import { COS_VOCABULARY } from '../../vocabulary.ts';
import { readObjectEncryption, readWriteEncryption, refuseEncryption } from './encryption-headers.ts';
import { checkChangeHeaders, checkWriteHeaders, FORBID_OVERWRITE } from './header-rules.ts';

/** Reads a PutObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readPutObject(ref: ObjectRef, headers: HeaderList, operation = 'PutObject'): PutObject {
  return {
    kind: 'PutObject',
    ref,
    metadata: readObjectMetadata(headers, operation),
    conditions: readWriteConditions(headers),
    encryption: readWriteEncryption(headers, { operation }),
  };
}

/** Reads what a client stores with an object beside its bytes. @throws GatewayError InvalidArgument, NotImplemented */
export function readObjectMetadata(headers: HeaderList, operation: string): ObjectMetadata {
  checkWriteHeaders(headers, operation);
  return { content: readContent(headers), user: userMetadata(headers, COS_VOCABULARY), ...settingsIn(headers) };
}

/** Reads the content headers. The SDK for Node.js sends empty ones where its caller gives none. */
function readContent(headers: HeaderList): ContentHeaders {
  const entries = Object.entries(contentHeaders(headers)).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries);
}

/** Reads the conditions of a write. COS has one of its own, which keeps an object that is there. */
export function readWriteConditions(headers: HeaderList): Conditions {
  if (forbidsOverwrite(headers)) return { ifNoneMatch: '*' };
  return { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') };
}

/** Whether an object that is there must be kept. @throws GatewayError InvalidArgument */
export function forbidsOverwrite(headers: HeaderList): boolean {
  const value = singleHeader(headers, FORBID_OVERWRITE)?.toLowerCase() ?? '';
  if (!['', 'true', 'false'].includes(value)) {
    throw clientError('InvalidArgument', `${FORBID_OVERWRITE} must be true or false.`);
  }
  return value === 'true';
}

/** Reads a GetObject. @throws GatewayError InvalidArgument */
export function readGetObject(ref: ObjectRef, query: QueryList, headers: HeaderList): GetObject {
  return {
    kind: 'GetObject',
    ...readBasics(ref, headers, 'GetObject'),
    range: parseRange(headers.get('range')),
    ifRange: headers.get('if-range'),
    overrides: readOverrides(query),
  };
}

/** Reads a HeadObject. @throws GatewayError InvalidArgument */
export function readHeadObject(ref: ObjectRef, headers: HeaderList, operation = 'HeadObject'): HeadObject {
  const basics = readBasics(ref, headers, operation);
  return { kind: 'HeadObject', ...basics, range: undefined, ifRange: undefined, overrides: {} };
}

function readBasics(ref: ObjectRef, headers: HeaderList, operation: string) {
  const conditions: Conditions = {
    ifMatch: headers.get('if-match'),
    ifNoneMatch: headers.get('if-none-match'),
    ifModifiedSince: headers.get('if-modified-since'),
    ifUnmodifiedSince: headers.get('if-unmodified-since'),
  };
  return { ref, conditions, encryption: readObjectEncryption(headers, { operation }), wantsChecksum: false };
}

/** Reads a DeleteObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readDeleteObject(ref: ObjectRef, headers: HeaderList): DeleteObject {
  refuseEncryption(headers, 'DeleteObject');
  checkChangeHeaders(headers, 'DeleteObject');
  return { kind: 'DeleteObject', ref, conditions: {} };
}

/**
 * Reads a GetObjectACL or PutObjectACL. The gateway decides who may do what. So every object has the ACL of its
 * bucket (`default`), and may be given no other; what is left to do is to see whether the object is there.
 * @throws GatewayError NotImplemented for another ACL
 */
export function readObjectAcl(ref: ObjectRef, headers: HeaderList, operation: string): HeadObject {
  if (operation === 'PutObjectACL') checkAcl(headers, operation);
  return readHeadObject(ref, headers, operation);
}

/** Checks that a request asks for the ACL that there is anyhow. @throws GatewayError NotImplemented */
export function checkAcl(headers: HeaderList, operation: string): void {
  const acl = singleHeader(headers, ACL) || 'private';
  checkChangeHeaders(headers, operation, new Set([ACL]));
  if (acl === 'private' || acl === 'default') return;
  throw clientError(
    'NotImplemented',
    `${operation} with the ACL ${acl.slice(0, 32)} is not available: this gateway decides by its own policies.`,
  );
}
