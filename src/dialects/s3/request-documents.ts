import { clientError, type GatewayError } from '../../errors.ts';
import type { CreateBucket, DeleteObjects, DeleteTarget } from '../../operations/operation.ts';
import type { HeaderList } from '../../wire/headers.ts';
import { readXml, type XmlElement } from '../../wire/xml.ts';
import { checkKey } from './address.ts';

/** The XML bodies of requests. Each is read strictly: an element that would be ignored is refused. */

/** 1,000 keys of 1,024 bytes and their version ids, some of it escaped. */
export const MAX_DELETE_BYTES = 2 * 1024 * 1024;

const MAX_DELETE_TARGETS = 1000;

/** Bucket settings are a few elements. */
export const MAX_CREATE_BUCKET_BYTES = 64 * 1024;

/** @throws GatewayError MalformedBody, NotImplemented, KeyTooLongError, InvalidObjectName */
export function readDeleteObjects(bucket: string, document: Buffer): DeleteObjects {
  const root = readXml(document);
  if (root.name !== 'Delete') throw malformed('must be a Delete document');
  const targets: DeleteTarget[] = [];
  let quiet = false;
  for (const child of root.children) {
    if (child.name === 'Object') targets.push(readTarget(child));
    else if (child.name === 'Quiet') quiet = child.text.trim().toLowerCase() === 'true';
    else throw malformed('has an element in Delete that is not known');
  }
  if (targets.length === 0) throw malformed('names no object');
  if (targets.length > MAX_DELETE_TARGETS) throw malformed(`names more than ${MAX_DELETE_TARGETS} objects`);
  return { kind: 'DeleteObjects', bucket, targets, quiet };
}

function readTarget(element: XmlElement): DeleteTarget {
  let key: string | undefined;
  let versionId: string | undefined;
  for (const child of element.children) {
    if (child.name === 'Key' && key === undefined) key = child.text;
    else if (child.name === 'VersionId' && versionId === undefined) versionId = child.text;
    else if (child.name === 'ETag' || child.name === 'LastModifiedTime' || child.name === 'Size') {
      throw clientError('NotImplemented', `DeleteObjects with a condition on ${child.name} is not available.`);
    } else throw malformed('has an element in Object that is doubled or not known');
  }
  if (key === undefined || key === '') throw malformed('has an Object without a Key');
  checkKey(key);
  return versionId === undefined || versionId === '' ? { key } : { key, versionId };
}

/**
 * @param document may be empty: the default region
 * @throws GatewayError MalformedBody, NotImplemented
 */
export function readCreateBucket(bucket: string, vendor: HeaderList, document: Buffer): CreateBucket {
  let location: string | undefined;
  if (document.length > 0) {
    const root = readXml(document);
    if (root.name !== 'CreateBucketConfiguration') throw malformed('must be a CreateBucketConfiguration document');
    for (const child of root.children) {
      if (child.name !== 'LocationConstraint') {
        throw clientError('NotImplemented', `CreateBucket with ${child.name.slice(0, 64)} is not available.`);
      }
      location = child.text.trim();
    }
  }
  return { kind: 'CreateBucket', bucket, location: location === '' ? undefined : location, vendor };
}

function malformed(reason: string): GatewayError {
  return clientError('MalformedBody', `The XML in the request body ${reason}.`);
}
