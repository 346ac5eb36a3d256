import { OVERRIDE_NAMES } from '../response-overrides.ts';
import type { Vocabulary } from '../vocabulary.ts';

/* QingStor's names of what the gateway reads and writes. Sources: the vendor's API documentation and its SDKs. */

/** The date of a request, for clients that cannot set Date. It takes precedence over Date. */
export const DATE_HEADER = 'x-qs-date';
export const REQUEST_ID_HEADER = 'X-QS-Request-ID';

/** The Content-Type of documents. It has no charset parameter, since with one the Python SDK does not read them. */
export const JSON_TYPE = 'application/json';

/**
 * The storage classes with the vendor's words. JuiceFS and others expect a header with one in the answer for every
 * object.
 */
export const STORAGE_CLASSES = [
  ['standard', 'STANDARD'],
  ['infrequent-access', 'STANDARD_IA'],
] as const;

/** What every part but the last must have (vendor documentation): 4 MiB. */
export const SMALLEST_PART_BYTES = 4 * 1024 * 1024;

/** QingStor counts parts from 0, the gateway and most stores count them from 1. @param number the client's */
export function neutralPartNumber(number: number): number {
  return number + 1;
}

/** The inverse of `neutralPartNumber`. */
export function vendorPartNumber(number: number): number {
  return number - 1;
}

export const QINGSTOR_VOCABULARY: Vocabulary = {
  dialect: 'qingstor',
  metadataPrefix: 'x-qs-meta-',
  mostKeyBytes: 1023,
};

/** How many objects a page of a listing has where the client does not say (vendor documentation). */
export const DEFAULT_LIMIT = 100;
/** How many objects a page of a listing has at most. */
export const MAX_LIMIT = 1000;

/**
 * The query parameters that are signed: those that the documentation lists, and those that the Go and Java SDKs add.
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
 * The parameters of the list above that the JavaScript SDK (3.1.4) does not sign. It does sign `append`, by accident:
 * the literal `?append` of its path template stays in the path that it signs.
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

/** The query parameters that the JavaScript SDK signs. */
export const SIGNED_BY_JAVASCRIPT: ReadonlySet<string> = new Set(
  [...SIGNED_SUBRESOURCES].filter((name) => !NOT_SIGNED_BY_JAVASCRIPT.includes(name)),
);
