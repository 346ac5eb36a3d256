import { clientError, type GatewayError } from '../../../../errors.ts';
import type { AskedBucketEncryption } from '../../../../operations/bucket-encryption.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { readXml, type XmlElement, xmlChildren } from '../../../../wire/xml/xml.ts';
import type { ParsedRequest } from '../../../front-dialect.ts';
import { malformedDocument } from '../../../xml-family/malformed-document.ts';
import { checkDeleteHeaders } from './header-rules.ts';

/** The greatest size of the document, which has a few elements. */
const MAX_BYTES = 64 * 1024;

/** Reads a PutBucketEncryption, whose rule stands in its body. @throws GatewayError NotImplemented */
export function parsePutBucketEncryption(bucket: string, headers: HeaderList): ParsedRequest {
  checkDeleteHeaders(headers, 'PutBucketEncryption');
  return {
    kind: 'document',
    name: 'PutBucketEncryption',
    bucket,
    maxBytes: MAX_BYTES,
    read: (document) => ({ kind: 'PutBucketEncryption', bucket, asked: readRule(document) }),
  };
}

/**
 * Reads the rule of a ServerSideEncryptionConfiguration. S3 wants exactly one.
 * @throws GatewayError MalformedBody; InvalidArgument for a key that the algorithm does not take; NotImplemented for
 *   two layers of encryption and for elements that are not known
 */
function readRule(document: Buffer): AskedBucketEncryption {
  const root = readXml(document);
  if (root.name !== 'ServerSideEncryptionConfiguration') {
    throw malformedDocument('must be a ServerSideEncryptionConfiguration document');
  }
  const rules = xmlChildren(root, 'Rule');
  if (rules.length !== 1) throw malformedDocument('must have one Rule');
  refuseOthers(root, ['Rule']);
  const rule = rules[0] as XmlElement;
  refuseOthers(rule, ['ApplyServerSideEncryptionByDefault', 'BucketKeyEnabled', 'BlockedEncryptionTypes']);
  if (rule.children.length === 0) throw malformedDocument('has a Rule that says nothing');
  return {
    method: readMethod(only(rule, 'ApplyServerSideEncryptionByDefault')),
    bucketKey: readFlag(only(rule, 'BucketKeyEnabled')),
    customerKeys: readBlocked(only(rule, 'BlockedEncryptionTypes')),
  };
}

function readMethod(method: XmlElement | undefined): AskedBucketEncryption['method'] {
  if (method === undefined) return undefined;
  refuseOthers(method, ['SSEAlgorithm', 'KMSMasterKeyID']);
  const algorithm = only(method, 'SSEAlgorithm')?.text.trim();
  const keyId = only(method, 'KMSMasterKeyID')?.text.trim();
  switch (algorithm) {
    case 'AES256':
      if (keyId === undefined || keyId === '') return { form: 'managed', keyId: undefined };
      throw clientError(
        'InvalidArgument',
        'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms',
      );
    case 'aws:kms':
      return { form: 'kms', keyId: keyId === '' ? undefined : keyId };
    case 'aws:kms:dsse':
      throw unavailable('SSEAlgorithm aws:kms:dsse');
    default:
      throw malformedDocument('must have an SSEAlgorithm that S3 knows');
  }
}

function readFlag(flag: XmlElement | undefined): boolean | undefined {
  const text = flag?.text.trim();
  if (text === undefined) return undefined;
  if (text !== 'true' && text !== 'false') throw malformedDocument('must have true or false as BucketKeyEnabled');
  return text === 'true';
}

/** Reads the types that are blocked: SSE-C, or NONE, which allows all. Other forms cannot be blocked in S3 either. */
function readBlocked(blocked: XmlElement | undefined): AskedBucketEncryption['customerKeys'] {
  if (blocked === undefined) return undefined;
  refuseOthers(blocked, ['EncryptionType']);
  const types = new Set(blocked.children.map(({ text }) => text.trim()));
  if (types.size === 1 && types.has('SSE-C')) return 'blocked';
  if (types.size === 1 && types.has('NONE')) return 'allowed';
  throw malformedDocument('must have SSE-C or NONE as EncryptionType');
}

function only(parent: XmlElement, name: string): XmlElement | undefined {
  const [child, ...more] = xmlChildren(parent, name);
  if (more.length > 0) throw malformedDocument(`must have one ${name} at most`);
  return child;
}

function refuseOthers(parent: XmlElement, known: readonly string[]): void {
  const other = parent.children.find(({ name }) => !known.includes(name));
  if (other !== undefined) throw unavailable(other.name.slice(0, 64));
}

function unavailable(what: string): GatewayError {
  return clientError('NotImplemented', `PutBucketEncryption with ${what} is not available.`);
}
