import type { BucketLocation } from '../../../../operations/bucket-answers.ts';
import type { BucketEncryptionTold } from '../../../../operations/bucket-encryption.ts';
import type { BucketPolicyStatusTold } from '../../../../operations/bucket-policy.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';

/** The answer to GetBucketLocation. For us-east-1 the element is empty, as in S3, because SDKs rely on that. */
export function locationDocument({ region }: BucketLocation): string {
  const constraint = region === 'us-east-1' ? '' : region;
  return `${opening('LocationConstraint', S3_VOCABULARY)}${constraint}</LocationConstraint>`;
}

/** The answer to GetBucketEncryption. */
export function bucketEncryptionDocument({ rule }: BucketEncryptionTold): string {
  const { form, keyId, bucketKey, customerKeys } = rule;
  const method =
    xmlElement('SSEAlgorithm', form === 'kms' ? 'aws:kms' : 'AES256') + xmlElement('KMSMasterKeyID', keyId);
  const blocked = customerKeys && xmlElement('EncryptionType', customerKeys === 'blocked' ? 'SSE-C' : 'NONE');
  return (
    `${opening('ServerSideEncryptionConfiguration', S3_VOCABULARY)}<Rule>` +
    `<ApplyServerSideEncryptionByDefault>${method}</ApplyServerSideEncryptionByDefault>` +
    xmlElement('BucketKeyEnabled', bucketKey) +
    (blocked === undefined ? '' : `<BlockedEncryptionTypes>${blocked}</BlockedEncryptionTypes>`) +
    '</Rule></ServerSideEncryptionConfiguration>'
  );
}

/** The answer to GetBucketPolicyStatus. */
export function policyStatusDocument({ isPublic }: BucketPolicyStatusTold): string {
  return `${opening('PolicyStatus', S3_VOCABULARY)}${xmlElement('IsPublic', isPublic)}</PolicyStatus>`;
}
