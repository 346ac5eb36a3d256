import type { ErrorCode } from '../../errors.ts';
import type { ListedObject, ListedPart } from '../../operations/answer.ts';
import type { Owner } from '../../operations/bucket-answers.ts';
import type { AskedChecksum, Checksum } from '../../operations/object.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import { XML_DECLARATION, xmlElement, xmlEscape } from '../../wire/xml/xml.ts';
import type { ErrorSpelling } from '../error-spelling.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** How the documents of a vendor differ from those of others. Several vendors took over S3's XML documents. */
export interface XmlVocabulary extends Vocabulary {
  /** The XML namespace of every document's root; undefined for vendors whose documents have none. */
  readonly namespace: string | undefined;
  /** The storage class to tell for an object where the store tells none. */
  readonly standardClass: string;
  readonly errors: Readonly<Record<ErrorCode, ErrorSpelling>>;
  /** Absent where the vendor's documents have no checksums. */
  readonly checksums?: ChecksumElements | undefined;
  /** Writes a date. Absent where dates have milliseconds, as S3's have. */
  readonly date?: ((date: Date) => string) | undefined;
  /** Writes an ETag, without quotes. Absent where it is written as it is. */
  readonly etag?: ((etag: string) => string) | undefined;
  /** Turns the store's word for a storage class into the vendor's. Absent where the vendor has S3's words. */
  readonly classWord?: ((word: string) => string) | undefined;
  /** Makes the elements that an object of a listing has beside S3's. */
  readonly ofListed?: ((object: ListedObject) => string) | undefined;
  /** Makes the elements that a part of an upload has beside S3's. */
  readonly ofListedPart?: ((part: ListedPart) => string) | undefined;
  /** The owner to tell of an object of which the store tells none, where SDKs insist on one. */
  readonly unknownOwner?: Owner | undefined;
  /** Whether the markers of a next page are written where there is none, too, because SDKs insist on the elements. */
  readonly insistsOnMarkers?: boolean | undefined;
  /** The element that says how names are encoded, in the lists of parts and of uploads. Absent for `EncodingType`. */
  readonly encodingTypeNames?: { readonly parts: string; readonly uploads: string } | undefined;
  /** The element around a prefix in the list of uploads. Absent for `CommonPrefixes`. */
  readonly uploadPrefixName?: string | undefined;
}

/** The text of a date in a document. */
export function dateText(date: Date, vocabulary: XmlVocabulary): string {
  return vocabulary.date?.(date) ?? formatIsoDate(date);
}

/** The `ETag` element, with quotes around the ETag. */
export function etagElement(etag: string, vocabulary: XmlVocabulary): string {
  return `<ETag>&quot;${xmlEscape(vocabulary.etag?.(etag) ?? etag)}&quot;</ETag>`;
}

/** The `StorageClass` element. @param word the store's; undefined where it tells none */
export function storageClassElement(word: string | undefined, vocabulary: XmlVocabulary): string {
  return xmlElement(
    'StorageClass',
    word === undefined ? vocabulary.standardClass : (vocabulary.classWord?.(word) ?? word),
  );
}

/** A marker of the next page. @param text undefined where there is none */
export function markerElement(name: string, text: string | number | undefined, vocabulary: XmlVocabulary): string {
  return xmlElement(name, text ?? (vocabulary.insistsOnMarkers === true ? '' : undefined));
}

/** Makes the XML elements by which a vendor tells of a checksum. */
export interface ChecksumElements {
  /** The checksum of a part: its value. */
  value(checksum: Checksum): string;
  /** The checksum of an object: its value, and whether it covers all bytes or the checksums of the parts. */
  valueAndType(checksum: Checksum): string;
  /** Which checksum the object of an unfinished upload will have. */
  asked(checksum: AskedChecksum): string;
}

/** The beginning of a document: the XML declaration and the start tag of the root. */
export function opening(root: string, { namespace }: XmlVocabulary): string {
  return `${XML_DECLARATION}<${root}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>`;
}
