import type { ObjectCopied, PartCopied } from '../../operations/answer.ts';
import { dateText, etagElement, opening, type XmlVocabulary } from './xml-vocabulary.ts';

/** The answer to CopyObject. @param more elements of the vendor's own */
export function copiedDocument(answer: ObjectCopied, vocabulary: XmlVocabulary, more = ''): string {
  const { checksum } = answer;
  const told = checksum === undefined ? '' : (vocabulary.checksums?.valueAndType(checksum) ?? '');
  return result('CopyObjectResult', answer, told + more, vocabulary);
}

/** The answer to UploadPartCopy. */
export function partCopiedDocument(answer: PartCopied, vocabulary: XmlVocabulary): string {
  const { checksum } = answer;
  const told = checksum === undefined ? '' : (vocabulary.checksums?.value(checksum) ?? '');
  return result('CopyPartResult', answer, told, vocabulary);
}

function result(
  root: string,
  { lastModified, etag }: ObjectCopied | PartCopied,
  checksum: string,
  vocabulary: XmlVocabulary,
): string {
  return (
    `${opening(root, vocabulary)}<LastModified>${dateText(lastModified, vocabulary)}</LastModified>` +
    `${etagElement(etag, vocabulary)}${checksum}</${root}>`
  );
}
