import { OVERRIDE_NAMES } from '../response-overrides.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** QingStor's spelling of what the gateway reads and writes; reference: the vendor's API documentation and SDKs. */
export const DATE_HEADER = 'x-qs-date';
export const REQUEST_ID_HEADER = 'X-QS-Request-ID';

/** Exactly so: qingstor-sdk-python reads no document whose type has a parameter, not even the character set. */
export const JSON_TYPE = 'application/json';

/** The only class there is here. JuiceFS and others read it of every object, without asking whether it is there. */
export const STORAGE_CLASS = 'STANDARD';

export const QINGSTOR_VOCABULARY: Vocabulary = {
  dialect: 'qingstor',
  metadataPrefix: 'x-qs-meta-',
  mostKeyBytes: 1023,
};

/** The documentation's default page, and the most that a listing gives. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1000;

/**
 * Sub-resources that are signed: the documentation's list with what qingstor-sdk-go and -java add.
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
