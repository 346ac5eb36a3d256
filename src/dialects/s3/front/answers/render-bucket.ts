import type { BucketLocation } from '../../../../operations/answer.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';

/** The answer to GetBucketLocation. For us-east-1 the element is empty, as in S3, because SDKs rely on that. */
export function locationDocument({ region }: BucketLocation): string {
  const constraint = region === 'us-east-1' ? '' : region;
  return `${opening('LocationConstraint', S3_VOCABULARY)}${constraint}</LocationConstraint>`;
}
