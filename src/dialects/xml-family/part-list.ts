import type { Checksum } from '../../operations/object.ts';
import type { NamedPart } from '../../operations/operation.ts';
import { unquoted } from '../../wire/etag.ts';
import { readXml, type XmlElement } from '../../wire/xml/xml.ts';
import { malformedDocument } from './malformed-document.ts';

const MAX_PARTS = 10_000;
const MAX_ELEMENTS = 5 * MAX_PARTS;

/**
 * Reads the checksum in an element of a part; returns undefined for an element of another kind.
 * @throws GatewayError
 */
type ReadChecksum = (element: string, text: string) => Checksum | undefined;

/**
 * Reads the parts that a CompleteMultipartUpload document names.
 * @throws GatewayError MalformedBody, and what `readChecksum` throws
 */
export function partsIn(document: Buffer, readChecksum: ReadChecksum): NamedPart[] {
  const root = readXml(document, { maxElements: MAX_ELEMENTS });
  if (root.name !== 'CompleteMultipartUpload') throw malformedDocument('must be a CompleteMultipartUpload document');
  if (root.children.length === 0) throw malformedDocument('names no part');
  if (root.children.length > MAX_PARTS) throw malformedDocument(`names more than ${MAX_PARTS} parts`);
  return root.children.map((child) => {
    if (child.name !== 'Part') throw malformedDocument('has an element in CompleteMultipartUpload that is not known');
    return readPart(child, readChecksum);
  });
}

function readPart(element: XmlElement, readChecksum: ReadChecksum): NamedPart {
  let number: string | undefined;
  let etag: string | undefined;
  let checksum: Checksum | undefined;
  for (const { name, text } of element.children) {
    if (name === 'PartNumber' && number === undefined) number = text.trim();
    else if (name === 'ETag' && etag === undefined) etag = unquoted(text.trim());
    else {
      const read = checksum === undefined ? readChecksum(name, text.trim()) : undefined;
      if (read === undefined) throw malformedDocument('has an element in Part that is doubled or not known');
      checksum = read;
    }
  }
  if (number === undefined || !/^\d{1,5}$/.test(number) || etag === undefined) {
    throw malformedDocument('has a Part without a PartNumber and an ETag');
  }
  return { partNumber: Number(number), etag, checksum };
}
