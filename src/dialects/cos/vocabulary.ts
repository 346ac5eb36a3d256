import { formatIsoDate } from '../../wire/dates.ts';
import type { XmlVocabulary } from '../xml-family/xml-vocabulary.ts';
import { COS_ERRORS } from './error-table.ts';

/* COS's names and limits. Sources: the vendor's API documentation and its SDKs. */

export const REQUEST_ID_HEADER = 'x-cos-request-id';
/** SDKs repeat it in their errors, where it must not be empty. */
export const TRACE_ID_HEADER = 'x-cos-trace-id';

/** How many entries a page of a listing has where the client does not say, and at most. */
export const MAX_KEYS = 1000;

/** The smallest size of a part other than the last. */
export const SMALLEST_PART_BYTES = 1024 * 1024;

export const COS_VOCABULARY: XmlVocabulary = {
  dialect: 'cos',
  metadataPrefix: 'x-cos-meta-',
  mostKeyBytes: 850,
  namespace: undefined,
  standardClass: 'STANDARD',
  errors: COS_ERRORS,
  date: cosDate,
  classWord: (word) => (word === 'GLACIER' ? 'ARCHIVE' : word),
  insistsOnMarkers: true,
  encodingTypeNames: { parts: 'Encoding-type', uploads: 'Encoding-Type' },
  uploadPrefixName: 'CommonPrefixs',
};

/** Writes a date of a document, as COS does: in whole seconds, and with `.000Z` in spite of that. */
function cosDate(date: Date): string {
  return formatIsoDate(wholeSeconds(date));
}

/** Writes a date of the documents that have no fraction of a second: those about buckets. */
export function shortDate(date: Date): string {
  return cosDate(date).replace('.000Z', 'Z');
}

function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
