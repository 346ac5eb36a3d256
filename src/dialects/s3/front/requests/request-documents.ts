import { clientError } from '../../../../errors.ts';
import type { VendorHeaders } from '../../../../operations/object.ts';
import type { CreateBucket } from '../../../../operations/operation.ts';
import { readXml } from '../../../../wire/xml/xml.ts';
import { malformedDocument } from '../../../xml-family/malformed-document.ts';

/** The XML bodies of requests. Each is read strictly: an element that would be ignored is refused. */

/** The settings of a new bucket are a few elements. */
export const MAX_CREATE_BUCKET_BYTES = 64 * 1024;

/**
 * @param document may be empty: the default region
 * @throws GatewayError MalformedBody, NotImplemented
 */
export function readCreateBucket(bucket: string, vendor: VendorHeaders | undefined, document: Buffer): CreateBucket {
  let location: string | undefined;
  if (document.length > 0) {
    const root = readXml(document);
    if (root.name !== 'CreateBucketConfiguration')
      throw malformedDocument('must be a CreateBucketConfiguration document');
    for (const child of root.children) {
      if (child.name !== 'LocationConstraint') {
        throw clientError('NotImplemented', `CreateBucket with ${child.name.slice(0, 64)} is not available.`);
      }
      location = child.text.trim();
    }
  }
  return { kind: 'CreateBucket', bucket, location: location === '' ? undefined : location, vendor };
}

/** A RestoreRequest has a few elements. */
export const MAX_RESTORE_BYTES = 64 * 1024;

const RESTORE_ELEMENTS = ['Days', 'Description', 'GlacierJobParameters', 'Tier'];

/**
 * Bringing an object back from an archive moves no bytes through the gateway; a query over it, or a copy to another
 * place, would: over ciphertext, past the gateway.
 * @throws GatewayError MalformedBody, NotImplemented
 */
export function checkRestore(document: Buffer): void {
  const root = readXml(document);
  if (root.name !== 'RestoreRequest') throw malformedDocument('must be a RestoreRequest document');
  for (const { name } of root.children) {
    if (!RESTORE_ELEMENTS.includes(name)) {
      throw clientError('NotImplemented', `RestoreObject with ${name.slice(0, 64)} is not available.`);
    }
  }
}
