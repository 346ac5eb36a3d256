import type { ErrorCode } from '../../errors.ts';
import type { AskedChecksum, Checksum } from '../../operations/object.ts';
import { XML_DECLARATION } from '../../wire/xml/xml.ts';
import type { ErrorSpelling } from '../error-spelling.ts';
import type { Vocabulary } from '../vocabulary.ts';

/** What tells apart the documents of the vendors that took S3's over, as far as the documents are the same. */
export interface XmlVocabulary extends Vocabulary {
  /** Of every document's root; undefined for vendors whose documents have none. */
  readonly namespace: string | undefined;
  /** The class of an object of which the store names none. */
  readonly standardClass: string;
  readonly errors: Readonly<Record<ErrorCode, ErrorSpelling>>;
  /** Absent: the vendor's documents tell no checksums. */
  readonly checksums?: ChecksumElements | undefined;
}

/** The elements, in a document's text, by which a vendor tells of a checksum. */
export interface ChecksumElements {
  /** Of a part: its value. */
  value(checksum: Checksum): string;
  /** Of an object: its value, and whether it is of the whole or of its parts' checksums. */
  valueAndType(checksum: Checksum): string;
  /** Of an upload under way: what its object will have. */
  asked(checksum: AskedChecksum): string;
}

/** How a document of the vendor's begins. */
export function opening(root: string, { namespace }: XmlVocabulary): string {
  return `${XML_DECLARATION}<${root}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>`;
}
