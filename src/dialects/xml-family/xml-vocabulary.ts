import type { ErrorCode } from '../../errors.ts';
import type { AskedChecksum, Checksum } from '../../operations/object.ts';
import { XML_DECLARATION } from '../../wire/xml/xml.ts';
import type { ErrorSpelling } from '../error-spelling.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** What tells apart the documents of the vendors that took S3's over, as far as the documents are the same. */
export interface XmlVocabulary extends Vocabulary {
  /** The namespace of every document's root; undefined for vendors whose documents have none. */
  readonly namespace: string | undefined;
  /** The class of an object of which the store names none. */
  readonly standardClass: string;
  readonly errors: Readonly<Record<ErrorCode, ErrorSpelling>>;
  /** Absent where the vendor's documents tell no checksums. */
  readonly checksums?: ChecksumElements | undefined;
}

/** The elements, in a document's text, by which a vendor tells of a checksum. */
export interface ChecksumElements {
  /** Tells a part's checksum: its value. */
  value(checksum: Checksum): string;
  /** Tells an object's checksum: its value, and whether it is of all bytes or of the parts' checksums. */
  valueAndType(checksum: Checksum): string;
  /** Tells which checksum the object of an upload under way will have. */
  asked(checksum: AskedChecksum): string;
}

/** The beginning of a document of the vendor's, up to its root's first child. */
export function opening(root: string, { namespace }: XmlVocabulary): string {
  return `${XML_DECLARATION}<${root}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>`;
}
