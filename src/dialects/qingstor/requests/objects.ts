import { clientError } from '../../../errors.ts';
import type { ObjectMetadata, ObjectRef, ObjectTraits } from '../../../operations/object.ts';
import type { DeleteObject, GetObject, HeadObject, PutObject } from '../../../operations/operation.ts';
import type { Conditions } from '../../../wire/conditions.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { QueryList } from '../../../wire/query.ts';
import { parseRange } from '../../../wire/range.ts';
import { contentHeaders, singleHeader, userMetadata } from '../../object-metadata.ts';
import { readOverrides } from '../../response-overrides.ts';
import { QINGSTOR_VOCABULARY, STORAGE_CLASSES } from '../vocabulary.ts';
import { dropEncryption, readEncryption } from './encryption-headers.ts';
import { checkHeaders, unescaped } from './header-rules.ts';

export const STORAGE_CLASS_HEADER = 'x-qs-storage-class';

/** Reads a PutObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readPutObject(ref: ObjectRef, headers: HeaderList): PutObject {
  checkHeaders(headers, 'PutObject', [STORAGE_CLASS_HEADER]);
  return {
    kind: 'PutObject',
    ref,
    metadata: readObjectMetadata(headers),
    conditions: readConditions(headers),
    encryption: readEncryption(headers),
  };
}

/** Reads what a client stores with an object beside its bytes. @throws GatewayError InvalidArgument, NotImplemented */
export function readObjectMetadata(headers: HeaderList): ObjectMetadata {
  return {
    content: contentHeaders(headers),
    user: userMetadata(headers, QINGSTOR_VOCABULARY),
    traits: readTraits(headers),
  };
}

function readTraits(headers: HeaderList): ObjectTraits | undefined {
  const word = singleHeader(headers, STORAGE_CLASS_HEADER);
  if (word === undefined) return undefined;
  const storageClass = STORAGE_CLASSES.find(([, spelled]) => spelled === word)?.[0];
  if (storageClass === undefined) {
    throw clientError('InvalidArgument', `${STORAGE_CLASS_HEADER} must be STANDARD or STANDARD_IA.`);
  }
  // What has the usual class needs no header, which some stores would not take.
  return storageClass === 'standard' ? undefined : { storageClass };
}

/** Reads a GetObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readGetObject(ref: ObjectRef, query: QueryList, headers: HeaderList): GetObject {
  checkHeaders(headers, 'GetObject', [STORAGE_CLASS_HEADER]);
  return { kind: 'GetObject', ...reading(ref, headers), overrides: readOverrides(query) };
}

/** Reads a HeadObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readHeadObject(ref: ObjectRef, headers: HeaderList): HeadObject {
  checkHeaders(headers, 'HeadObject', [STORAGE_CLASS_HEADER]);
  return { kind: 'HeadObject', ...reading(ref, headers), overrides: {} };
}

function reading(ref: ObjectRef, headers: HeaderList): Omit<GetObject, 'kind' | 'overrides'> {
  return {
    ref,
    range: parseRange(headers.get('range')),
    ifRange: unescaped(headers.get('if-range')),
    conditions: readConditions(headers),
    wantsChecksum: false,
    encryption: readEncryption(headers),
  };
}

/** Reads the conditions on the object that is there. */
export function readConditions(headers: HeaderList): Conditions {
  return {
    ifMatch: unescaped(headers.get('if-match')),
    ifNoneMatch: unescaped(headers.get('if-none-match')),
    ifModifiedSince: unescaped(headers.get('if-modified-since')),
    ifUnmodifiedSince: unescaped(headers.get('if-unmodified-since')),
  };
}

/** Reads a DeleteObject. @throws GatewayError InvalidArgument, NotImplemented */
export function readDeleteObject(ref: ObjectRef, headers: HeaderList): DeleteObject {
  checkHeaders(headers, 'DeleteObject', [STORAGE_CLASS_HEADER]);
  dropEncryption(headers);
  return { kind: 'DeleteObject', ref, conditions: {} };
}
