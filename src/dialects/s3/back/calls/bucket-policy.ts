import { hash } from 'node:crypto';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../../wire/message.ts';
import type { DocumentCall, HeadCall, StorePolicyAsked } from '../../../backend-calls.ts';
import type { ForStore } from '../../../identifiers.ts';
import { vendorHeadersFor } from '../../../vendor-headers.ts';
import { readDocument, required } from '../answer-document.ts';
import { bodiless, bucketPath } from '../request.ts';

type Asked = ForStore<StorePolicyAsked>;

const POLICY = [['policy', '']] as const;

/** GetBucketPolicy. */
export const bucketPolicy = {
  takes: 'document',
  render: ({ bucket, vendor }) => bodiless('GET', bucketPath(bucket, POLICY), vendorHeadersFor('s3', vendor)),
  read: (document) => document,
} satisfies DocumentCall<StorePolicyAsked, Buffer>;

/** GetBucketPolicyStatus. */
export const bucketPolicyStatus = {
  takes: 'document',
  render: ({ bucket, vendor }) =>
    bodiless('GET', bucketPath(bucket, [['policyStatus', '']]), vendorHeadersFor('s3', vendor)),
  // AWS says `true`, MinIO `TRUE`.
  read: (document) => required(readDocument(document, 'PolicyStatus'), 'IsPublic').trim().toLowerCase() === 'true',
} satisfies DocumentCall<StorePolicyAsked, boolean>;

/** PutBucketPolicy. */
export const putBucketPolicy = {
  takes: 'nothing',
  render: ({ document, ...asked }) => putOf(asked, document),
  read: () => undefined,
} satisfies HeadCall<StorePolicyAsked & { readonly document: Buffer }, void>;

/** A PutBucketPolicy whose body is no policy. */
export const tryBucketPolicy = {
  takes: 'nothing',
  render: (asked) => putOf(asked, Buffer.from('none')),
  read: () => undefined,
} satisfies HeadCall<StorePolicyAsked, void>;

/** DeleteBucketPolicy. */
export const deleteBucketPolicy = {
  takes: 'nothing',
  render: ({ bucket, vendor }) => bodiless('DELETE', bucketPath(bucket, POLICY), vendorHeadersFor('s3', vendor)),
  read: () => undefined,
} satisfies HeadCall<StorePolicyAsked, void>;

function putOf({ bucket, vendor }: Asked, body: Buffer): OutgoingRequest {
  const headers: HeaderList = vendorHeadersFor('s3', vendor);
  headers.append('content-type', 'application/json').append('content-md5', hash('md5', body, 'base64'));
  return { method: 'PUT', path: bucketPath(bucket, POLICY), headers, body, idempotent: true };
}
