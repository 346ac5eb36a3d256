import { OVERRIDE_NAMES } from '../response-overrides.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** QingStor's names of what the gateway reads and writes. Sources: the vendor's API documentation and its SDKs. */
export const DATE_HEADER = 'x-qs-date';
export const REQUEST_ID_HEADER = 'X-QS-Request-ID';

/** The Python SDK reads no document whose type has a parameter, not even the character set. */
export const JSON_TYPE = 'application/json';

/** The front offers this storage class only. JuiceFS and others expect the header on every object. */
export const STORAGE_CLASS = 'STANDARD';

export const QINGSTOR_VOCABULARY: Vocabulary = {
  dialect: 'qingstor',
  metadataPrefix: 'x-qs-meta-',
  mostKeyBytes: 1023,
};

/** The page of a listing where the client names none (vendor documentation), and the largest page. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/**
 * The sub-resources that are signed: the documentation's list, and those that the SDKs for Go and Java add.
 */
export const SIGNED_SUBRESOURCES: ReadonlySet<string> = new Set([
  'acl',
  'append',
  'cname',
  'cors',
  'delete',
  'image',
  'lifecycle',
  'logging',
  'mirror',
  'notification',
  'part_number',
  'policy',
  'position',
  'replication',
  'stats',
  'upload_id',
  'uploads',
  'version_id',
  'versioning',
  'versions',
  ...OVERRIDE_NAMES,
]);

/**
 * What the JavaScript SDK (3.1.4) leaves out of the list above. It signs `append` by accident: the literal `?append` of
 * its path template stays in the path that it signs.
 */
const NOT_SIGNED_BY_JAVASCRIPT = [
  'cname',
  'image',
  'logging',
  'position',
  'replication',
  'version_id',
  'versioning',
  'versions',
];

export const SIGNED_BY_JAVASCRIPT: ReadonlySet<string> = new Set(
  [...SIGNED_SUBRESOURCES].filter((name) => !NOT_SIGNED_BY_JAVASCRIPT.includes(name)),
);
