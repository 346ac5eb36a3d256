import type { Checksum } from '../../operations/object.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import type { XmlVocabulary } from '../xml-family/xml-vocabulary.ts';
import { checksumText, checksumType } from './checksum.ts';
import { S3_ERRORS } from './error-table.ts';

/** S3's names and limits, for the code that dialects share. Source: S3 API reference. */
export const S3_VOCABULARY: XmlVocabulary = {
  dialect: 's3',
  metadataPrefix: 'x-amz-meta-',
  mostKeyBytes: 1024,
  namespace: 'http://s3.amazonaws.com/doc/2006-03-01/',
  standardClass: 'STANDARD',
  errors: S3_ERRORS,
  checksums: {
    value: checksumElement,
    valueAndType: (checksum) =>
      checksumElement(checksum) + xmlElement('ChecksumType', checksumType(checksum.parts !== undefined)),
    asked: ({ algorithm, composite }) =>
      xmlElement('ChecksumAlgorithm', algorithm) + xmlElement('ChecksumType', checksumType(composite)),
  },
};

function checksumElement(checksum: Checksum): string {
  return xmlElement(`Checksum${checksum.algorithm}`, checksumText(checksum));
}
