import { clientError } from '../../../../errors.ts';
import type { AskedBucketEncryption } from '../../../../operations/bucket-encryption.ts';
import type { CreateBucket } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { readXml, type XmlElement, xmlChildren } from '../../../../wire/xml/xml.ts';
import type { ParsedRequest } from '../../../front-dialect.ts';
import { DeleteDocument, MAX_DELETE_BYTES } from '../../../xml-family/delete-document.ts';
import { malformedDocument } from '../../../xml-family/malformed-document.ts';
import { checkKey } from '../../address.ts';
import { refuseEncryption } from './encryption-headers.ts';
import { checkChangeHeaders } from './header-rules.ts';
import { checkAcl } from './objects.ts';

/* Reads the requests about buckets that have an XML document. An element that is not known is refused. */

/** The greatest size of documents that have a few elements. */
const MAX_BYTES = 64 * 1024;

/** Reads a PutBucket. @throws GatewayError NotImplemented */
export function parsePutBucket(bucket: string, headers: HeaderList): ParsedRequest {
  refuseEncryption(headers, 'PutBucket');
  checkAcl(headers, 'PutBucket');
  return {
    kind: 'document',
    name: 'CreateBucket',
    bucket,
    maxBytes: MAX_BYTES,
    read: (document) => readPutBucket(bucket, document),
  };
}

/** What a new bucket may ask for: what every bucket here is. */
const OFFERED: Readonly<Record<string, string>> = { BucketAZConfig: 'SAZ', BucketArchConfig: 'COS' };

function readPutBucket(bucket: string, document: Buffer): CreateBucket {
  if (document.length > 0) {
    const root = readXml(document);
    if (root.name !== 'CreateBucketConfiguration')
      throw malformedDocument('must be a CreateBucketConfiguration document');
    for (const { name, text } of root.children) {
      const value = text.trim();
      if (value === '' || OFFERED[name] === value) continue;
      throw clientError(
        'NotImplemented',
        `PutBucket with ${name.slice(0, 64)} ${value.slice(0, 64)} is not available.`,
      );
    }
  }
  return { kind: 'CreateBucket', bucket, location: undefined };
}

/** Reads a DeleteMultipleObjects. COS wants Content-MD5, because a flipped bit would delete another object. */
export function parseDeleteMultiple(bucket: string, headers: HeaderList): ParsedRequest {
  refuseEncryption(headers, 'DeleteMultipleObjects');
  checkChangeHeaders(headers, 'DeleteMultipleObjects');
  if (!headers.has('content-md5')) {
    throw clientError('InvalidDigest', 'DeleteMultipleObjects needs the header Content-MD5.');
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

/** The element with the rule: the name that the SDK for Go has, and the one of the vendor's page for Node.js. */
const METHOD_ELEMENTS = ['ApplyServerSideEncryptionByDefault', 'ApplySideEncryptionConfiguration'];

/**
 * Reads the rule of a ServerSideEncryptionConfiguration.
 * @throws GatewayError MalformedBody; InvalidArgument for an algorithm that COS does not have, and for a key that the
 *   algorithm does not take; NotImplemented for SM4
 */
function readRule(document: Buffer): AskedBucketEncryption {
  const root = readXml(document);
  if (root.name !== 'ServerSideEncryptionConfiguration') {
    throw malformedDocument('must be a ServerSideEncryptionConfiguration document');
  }
  const rule = only(root, ['Rule']);
  const method = rule && only(rule, METHOD_ELEMENTS);
  const algorithm = method && only(method, ['SSEAlgorithm'])?.text.trim();
  if (method === undefined || algorithm === undefined) throw malformedDocument('must have a Rule with an SSEAlgorithm');
  const keyId = only(method, ['KMSMasterKeyID'])?.text.trim() || undefined;
  const dataAlgorithm = only(method, ['KMSAlgorithm'])?.text.trim() || 'AES256';
  if (dataAlgorithm !== 'AES256' || algorithm === 'SM4') {
    throw clientError('NotImplemented', 'PutBucketEncryption with SM4 is not available. Use AES256 or KMS.');
  }
  const others = { bucketKey: undefined, customerKeys: undefined };
  if (algorithm === 'KMS' || algorithm === 'cos/kms') return { method: { form: 'kms', keyId }, ...others };
  if (algorithm !== 'AES256') throw clientError('InvalidArgument', 'The SSEAlgorithm must be AES256 or KMS.');
  if (keyId !== undefined) throw clientError('InvalidArgument', 'KMSMasterKeyID needs the SSEAlgorithm KMS.');
  return { method: { form: 'managed', keyId: undefined }, ...others };
}

function only(parent: XmlElement, names: readonly string[]): XmlElement | undefined {
  const [child, ...more] = names.flatMap((name) => xmlChildren(parent, name));
  if (more.length > 0) throw malformedDocument(`must have one ${names[0]} at most`);
  return child;
}
