import type { ListedObject } from '../../operations/answer.ts';
import type { Owner } from '../../operations/bucket-answers.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import type { XmlVocabulary } from '../xml-family/xml-vocabulary.ts';
import { OSS_ERRORS } from './error-table.ts';

/* OSS's names and limits. Sources: the vendor's API documentation and its SDKs. */

export const REQUEST_ID_HEADER = 'x-oss-request-id';

/** How many entries a page of a listing has where the client does not say, and at most. */
export const DEFAULT_KEYS = 100;
export const MAX_KEYS = 1000;

/** The smallest size of a part other than the last. */
export const SMALLEST_PART_BYTES = 100 * 1024;

/** The owner of objects of which only the gateway knows whose they are. */
export const SOMEBODY: Owner = { id: 'sealgate', displayName: 'sealgate' };

export const OSS_VOCABULARY: XmlVocabulary = {
  dialect: 'oss',
  metadataPrefix: 'x-oss-meta-',
  mostKeyBytes: 1023,
  // With a namespace, oss2 finds no element.
  namespace: undefined,
  standardClass: 'Standard',
  errors: OSS_ERRORS,
  date: ossDate,
  etag: shownEtag,
  classWord: (word) => S3_CLASSES.get(word) ?? 'Standard',
  ofListed: listedType,
  ofListedPart: ({ crc64 }) => xmlElement('HashCrc64ecma', crc64 && crc64Text(crc64)),
  unknownOwner: SOMEBODY,
  insistsOnMarkers: true,
};

/** OSS's words for the storage classes that stores of the S3 family tell in listings. */
const S3_CLASSES: ReadonlyMap<string, string> = new Map([
  ['STANDARD', 'Standard'],
  ['STANDARD_IA', 'IA'],
  ['GLACIER', 'Archive'],
  ['DEEP_ARCHIVE', 'ColdArchive'],
]);

/** Writes a date of a document. It ends in `.000Z`, since oss2 reads no other form. */
function ossDate(date: Date): string {
  return formatIsoDate(new Date(Math.floor(date.getTime() / 1000) * 1000));
}

const LOWER_HEX = /^[0-9a-f]{32}(?:-\d{1,5})?$/;
const UPPER_HEX = /(?<![0-9A-Za-z])[0-9A-F]{32}(?:-\d{1,5})?(?![0-9A-Za-z])/g;

/** Writes an ETag as OSS has them: in upper-case digits, where it is of digits. */
export function shownEtag(etag: string): string {
  return LOWER_HEX.test(etag) ? etag.toUpperCase() : etag;
}

/** Turns the ETags in a client's text, which may be those of `shownEtag`, into the gateway's. */
export function meantEtags<Text extends string | undefined>(text: Text): Text {
  return text?.replace(UPPER_HEX, (etag) => etag.toLowerCase()) as Text;
}

/** Writes a CRC-64 as OSS does: in decimal digits. */
export function crc64Text(crc64: Buffer): string {
  return crc64.readBigUInt64BE().toString();
}

/** The type of an object, which oss2 insists on in listings. */
export function objectType(etag: string): string {
  return /-[1-9]\d*$/.test(etag) ? 'Multipart' : 'Normal';
}

function listedType({ etag }: ListedObject): string {
  return xmlElement('Type', objectType(etag));
}
