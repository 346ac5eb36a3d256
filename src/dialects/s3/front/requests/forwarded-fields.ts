import { crossOriginAnswerNames } from '../../../../wire/cross-origin.ts';
import type { S3Operation } from '../../operation-row.ts';
import { S3_OPERATIONS } from '../../operation-table.ts';

/**
 * The allow-lists of a forwarded operation: what of the request is sent to the backend, and what of its answer is
 * passed on to the client. Everything else stops at the gateway. Names of headers are in lower case. Source: the S3 API
 * reference, "Request Syntax" and "Response Syntax" of each operation.
 */
interface ForwardedFields {
  /** The query parameters that select the operation, and those that it understands. */
  readonly parameters: ReadonlySet<string>;
  /** The headers of the request. A presigned URL may have them in its query instead. */
  readonly requestHeaders: ReadonlySet<string>;
  readonly answerHeaders: ReadonlySet<string>;
}

/** The headers that set an ACL. */
export const GRANTS = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
];

/** The headers that say whose bucket it must be, and who pays for the request. */
export const ACCOUNT = ['x-amz-expected-bucket-owner', 'x-amz-request-payer'];

/**
 * The headers of every forwarded request. Origin is one of them, because the store's own CORS rules decide which pages
 * may read its answers (docs/architecture.md, "Browsers").
 */
const EVERY_REQUEST = ['content-type', 'content-encoding', 'origin', ...ACCOUNT];

const REQUEST: Readonly<Record<string, readonly string[]>> = {
  PutBucketAcl: GRANTS,
  PutObjectAcl: GRANTS,
  PutObjectRetention: ['x-amz-bypass-governance-retention'],
  PutObjectLockConfiguration: ['x-amz-bucket-object-lock-token'],
  PutBucketVersioning: ['x-amz-mfa'],
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

/**
 * Returns the allow-lists of an operation.
 * @param operation the name of a row of the operation table that is forwarded
 */
export function forwardedFields(operation: string): ForwardedFields {
  const fields = FIELDS.get(operation);
  if (fields === undefined) throw new Error(`The operation table does not say that ${operation} is forwarded.`);
  return fields;
}
