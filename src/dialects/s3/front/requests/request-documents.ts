import { clientError } from '../../../../errors.ts';
import type { VendorHeaders } from '../../../../operations/object.ts';
import type { CreateBucket } from '../../../../operations/operation.ts';
import { readXml } from '../../../../wire/xml/xml.ts';
import { malformedDocument } from '../../../xml-family/malformed-document.ts';

/* Reads small XML bodies of requests. An element that is not known is refused instead of ignored. */

/** The greatest size of the document of CreateBucket, which has a few elements. */
export const MAX_CREATE_BUCKET_BYTES = 64 * 1024;

/**
 * Reads a CreateBucket.
 * @param document the request's body; empty for a bucket in the default region
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

/** The greatest size of the document of RestoreObject, which has a few elements. */
export const MAX_RESTORE_BYTES = 64 * 1024;

const RESTORE_ELEMENTS = ['Days', 'Description', 'GlacierJobParameters', 'Tier'];

/**
 * Checks that a RestoreObject does no more than bring an object back from the archive, which moves no bytes through the
 * gateway. It could also ask for a query over the object, or for a copy at another place; the backend would run the
 * query over ciphertext, and make the copy without the gateway.
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
