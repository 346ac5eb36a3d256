import { clientError, type GatewayError } from '../../../../errors.ts';
import type { AskedBucketEncryption } from '../../../../operations/bucket-encryption.ts';
import type { CreateBucket } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { readXml, type XmlElement, xmlChildren } from '../../../../wire/xml/xml.ts';
import type { ParsedRequest } from '../../../front-dialect.ts';
import { DeleteDocument, MAX_DELETE_BYTES } from '../../../xml-family/delete-document.ts';
import { malformedDocument } from '../../../xml-family/malformed-document.ts';
import { checkKey } from '../../address.ts';
import { checkChangeHeaders } from './header-rules.ts';
import { checkAcl } from './objects.ts';

/* Reads the requests about buckets that have an XML document. An element that is not known is refused. */

/** The greatest size of documents that have a few elements. */
const MAX_BYTES = 64 * 1024;

/** Reads a PutBucket. @throws GatewayError InvalidArgument, NotImplemented */
export function parsePutBucket(bucket: string, headers: HeaderList): ParsedRequest {
  checkAcl(headers, 'x-oss-acl', 'PutBucket');
  return {
    kind: 'document',
    name: 'CreateBucket',
    bucket,
    maxBytes: MAX_BYTES,
    read: (document) => readPutBucket(bucket, document),
  };
}

/** What a new bucket may ask for: what every bucket here is. */
const OFFERED: Readonly<Record<string, string>> = { StorageClass: 'Standard', DataRedundancyType: 'LRS' };

function readPutBucket(bucket: string, document: Buffer): CreateBucket {
  let location: string | undefined;
  if (document.length > 0) {
    const root = readXml(document);
    if (root.name !== 'CreateBucketConfiguration')
      throw malformedDocument('must be a CreateBucketConfiguration document');
    for (const { name, text } of root.children) {
      const value = text.trim();
      if (name === 'LocationConstraint') location = value.replace(/^oss-/, '');
      else if (value !== '' && OFFERED[name] !== value) {
        throw clientError(
          'NotImplemented',
          `PutBucket with ${name.slice(0, 64)} ${value.slice(0, 64)} is not available.`,
        );
      }
    }
  }
  return { kind: 'CreateBucket', bucket, location: location || undefined };
}

/** Reads a DeleteMultipleObjects. OSS wants Content-MD5, because a flipped bit would delete another object. */
export function parseDeleteMultiple(bucket: string, headers: HeaderList): ParsedRequest {
  checkChangeHeaders(headers, 'DeleteMultipleObjects');
  if (!headers.has('content-md5')) {
    throw clientError('InvalidArgument', 'Missing required header for this request: Content-MD5.', {
      details: { ArgumentName: 'Content-MD5' },
    });
  }
  const readAsItComes = () => new DeleteDocument(bucket, { vendor: undefined, checkKey });
  return {
    kind: 'document',
    name: 'DeleteObjects',
    bucket,
    maxBytes: MAX_DELETE_BYTES,
    readAsItComes,
    read: (document) => {
      const reader = readAsItComes();
      reader.push(document);
      return reader.end();
    },
  };
}

/** Reads a PutBucketEncryption. @throws GatewayError InvalidArgument, NotImplemented */
export function parsePutBucketEncryption(bucket: string, headers: HeaderList): ParsedRequest {
  checkChangeHeaders(headers, 'PutBucketEncryption');
  return {
    kind: 'document',
    name: 'PutBucketEncryption',
    bucket,
    maxBytes: MAX_BYTES,
    read: (document) => ({ kind: 'PutBucketEncryption', bucket, asked: readRule(document) }),
  };
}

/**
 * Reads the rule of a ServerSideEncryptionRule.
 * @throws GatewayError MalformedBody; InvalidEncryptionAlgorithm; InvalidArgument for a key that the algorithm does
 *   not take; NotImplemented for SM4 under keys of KMS
 */
function readRule(document: Buffer): AskedBucketEncryption {
  const root = readXml(document);
  if (root.name !== 'ServerSideEncryptionRule') throw malformedDocument('must be a ServerSideEncryptionRule document');
  const method = only(root, 'ApplyServerSideEncryptionByDefault');
  const algorithm = method && only(method, 'SSEAlgorithm')?.text.trim();
  if (method === undefined || algorithm === undefined) throw malformedDocument('must have an SSEAlgorithm');
  const keyId = only(method, 'KMSMasterKeyID')?.text.trim() || undefined;
  const dataAlgorithm = only(method, 'KMSDataEncryption')?.text.trim() || 'AES256';
  if (dataAlgorithm !== 'AES256') {
    throw clientError(
      'NotImplemented',
      `PutBucketEncryption with KMSDataEncryption ${dataAlgorithm.slice(0, 32)} is not available.`,
    );
  }
  const others = { bucketKey: undefined, customerKeys: undefined };
  if (algorithm === 'KMS') return { method: { form: 'kms', keyId }, ...others };
  if (algorithm !== 'AES256') throw badAlgorithm(algorithm);
  if (keyId !== undefined) throw clientError('InvalidArgument', 'KMSMasterKeyID needs the SSEAlgorithm KMS.');
  return { method: { form: 'managed', keyId: undefined }, ...others };
}

function badAlgorithm(algorithm: string): GatewayError {
  const message =
    algorithm === 'SM4' ? 'The SSEAlgorithm SM4 is not available here.' : 'The SSEAlgorithm must be AES256 or KMS.';
  return clientError('InvalidEncryptionAlgorithm', message);
}

function only(parent: XmlElement, name: string): XmlElement | undefined {
  const [child, ...more] = xmlChildren(parent, name);
  if (more.length > 0) throw malformedDocument(`must have one ${name} at most`);
  return child;
}
