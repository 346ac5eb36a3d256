import { crossOriginAnswerNames } from '../../../../wire/cross-origin.ts';
import type { S3Operation } from '../../operation-row.ts';
import { S3_OPERATIONS } from '../../operation-table.ts';

/**
 * What of a forwarded request reaches the backend, and what of its answer reaches the client. Both are allow-lists by
 * operation: a header or query parameter that stands in neither list stops at the gateway, whoever thought it up.
 * Names are in lower case. Source: the S3 API reference, "Request Syntax" and "Response Syntax" of each operation.
 */
interface ForwardedFields {
  /** Query parameters: the one that selects the operation, and those that it understands. */
  readonly parameters: ReadonlySet<string>;
  /** Request headers; presigned URLs carry them in the query as well. */
  readonly requestHeaders: ReadonlySet<string>;
  readonly answerHeaders: ReadonlySet<string>;
}

export const GRANTS = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
];

/** Whose bucket it must be, and who pays for the request. */
export const ACCOUNT = ['x-amz-expected-bucket-owner', 'x-amz-request-payer'];

/** `Origin`: the store's own rules decide which pages may read its answers (docs/architecture.md, "Browsers"). */
const EVERY_REQUEST = ['content-type', 'content-encoding', 'origin', ...ACCOUNT];

const REQUEST: Readonly<Record<string, readonly string[]>> = {
  PutBucketAcl: GRANTS,
  PutObjectAcl: GRANTS,
  PutObjectRetention: ['x-amz-bypass-governance-retention'],
  PutObjectLockConfiguration: ['x-amz-bucket-object-lock-token'],
  PutBucketVersioning: ['x-amz-mfa'],
  PutBucketPolicy: ['x-amz-confirm-remove-self-bucket-access'],
  PutBucketLifecycleConfiguration: ['x-amz-transition-default-minimum-object-size'],
};

const EVERY_ANSWER = [
  'content-type',
  'content-length',
  'last-modified',
  'x-amz-request-charged',
  ...crossOriginAnswerNames,
];

const TRANSITION = ['x-amz-transition-default-minimum-object-size'];
const VERSION = ['x-amz-version-id'];

const ANSWER: Readonly<Record<string, readonly string[]>> = {
  GetObjectTagging: VERSION,
  PutObjectTagging: VERSION,
  DeleteObjectTagging: VERSION,
  GetObjectAcl: VERSION,
  PutObjectAcl: VERSION,
  GetBucketLifecycleConfiguration: TRANSITION,
  PutBucketLifecycleConfiguration: TRANSITION,
  RestoreObject: ['x-amz-restore-output-path'],
};

const FIELDS: ReadonlyMap<string, ForwardedFields> = new Map(
  S3_OPERATIONS.filter(({ treatment }) => treatment === 'forwarded').map((row) => [row.name, fieldsOf(row)]),
);

function fieldsOf({ name, subresource, needsParameter, parameters }: S3Operation): ForwardedFields {
  const selectors = [subresource, needsParameter].filter((selector) => selector !== undefined);
  return {
    parameters: new Set([...selectors, ...parameters]),
    requestHeaders: new Set([...EVERY_REQUEST, ...(REQUEST[name] ?? [])]),
    answerHeaders: new Set([...EVERY_ANSWER, ...(ANSWER[name] ?? [])]),
  };
}

/** @param operation the name of a forwarded row of the operation table */
export function forwardedFields(operation: string): ForwardedFields {
  const fields = FIELDS.get(operation);
  if (fields === undefined) throw new Error(`${operation} is no operation that is forwarded`);
  return fields;
}
