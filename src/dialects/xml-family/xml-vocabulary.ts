import type { ErrorCode } from '../../errors.ts';
import type { AskedChecksum, Checksum } from '../../operations/object.ts';
import { XML_DECLARATION } from '../../wire/xml/xml.ts';
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
