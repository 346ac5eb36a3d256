import { clientError } from '../../../../errors.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type { AskedAttribute, GetObject, GetObjectAttributes } from '../../../../operations/operation.ts';
import type { Conditions } from '../../../../wire/conditions.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { parseRange } from '../../../../wire/range.ts';
import { readOverrides } from '../../../response-overrides.ts';
import { readReadEncryption } from './header-rules.ts';
import { wholeNumber } from './listing.ts';
import { readPartNumber } from './upload-requests.ts';

/** Reads a GetObject or HeadObject. @throws GatewayError InvalidArgument, InvalidRequest, NotImplemented */
export function readRead(name: string, ref: ObjectRef, query: QueryList, headers: HeaderList): Omit<GetObject, 'kind'> {
  const encryption = readReadEncryption(headers, name);
  const part = query.has('partNumber') ? readPartNumber(query) : undefined;
  if (part !== undefined && headers.has('range')) {
    throw clientError('InvalidRequest', 'Cannot specify both Range header and partNumber query parameter');
  }
  return {
    ref,
    encryption,
    range: parseRange(headers.get('range')),
    part,
    ifRange: headers.get('if-range'),
    conditions: readConditions(headers),
    overrides: readOverrides(query),
    wantsChecksum: headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED',
  };
}

function readConditions(headers: HeaderList): Conditions {
  return {
    ifMatch: headers.get('if-match'),
    ifNoneMatch: headers.get('if-none-match'),
    ifModifiedSince: headers.get('if-modified-since'),
    ifUnmodifiedSince: headers.get('if-unmodified-since'),
  };
}

const ATTRIBUTES: Readonly<Record<string, AskedAttribute>> = {
  ETag: 'etag',
  Checksum: 'checksum',
  ObjectParts: 'parts',
  StorageClass: 'storageClass',
  ObjectSize: 'size',
};

/** How many parts an answer lists at most, and where the client does not say. */
const MAX_PARTS = 1000;

/** Reads a GetObjectAttributes. @throws GatewayError InvalidArgument, InvalidRequest, NotImplemented */
export function readGetObjectAttributes(ref: ObjectRef, headers: HeaderList): GetObjectAttributes {
  const encryption = readReadEncryption(headers, 'GetObjectAttributes');
  const marker = headers.get('x-amz-part-number-marker');
  const maxParts = headers.get('x-amz-max-parts');
  return {
    kind: 'GetObjectAttributes',
    ref,
    encryption,
    attributes: readAttributes(headers),
    partNumberMarker: marker === undefined || marker === '' ? 0 : wholeNumber('x-amz-part-number-marker', marker),
    maxParts:
      maxParts === undefined || maxParts === ''
        ? MAX_PARTS
        : Math.min(MAX_PARTS, wholeNumber('x-amz-max-parts', maxParts)),
  };
}

/** Reads the attributes that are asked for. The SDK for Java sends a header for each, others one with commas. */
function readAttributes(headers: HeaderList): ReadonlySet<AskedAttribute> {
  const names = headers
    .getAll('x-amz-object-attributes')
    .flatMap((line) => line.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) {
    throw clientError(
      'InvalidRequest',
      'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty',
    );
  }
  return new Set(
    names.map((name) => {
      const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
      if (attribute === undefined) throw clientError('InvalidArgument', 'Invalid attribute name specified.');
      return attribute;
    }),
  );
}
