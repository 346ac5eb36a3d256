import { OVERRIDE_NAMES } from '../../../response-overrides.ts';
import { isAmzParameter } from '../../amz-fields.ts';
import type { S3Operation } from '../../operation-row.ts';
import { S3_OPERATIONS } from '../../operation-table.ts';

/*
 * Judges query parameters that an operation does not know. S3 ignores them, and clients rely on it: `?v=123` is written
 * to bypass caches, and `utm_source` comes from links. The gateway ignores them too, but only where they cannot ask for
 * something else: not where some store knows the name, not in forwarded requests, and never in deletions.
 */

/**
 * The query parameters that Signature Version 2 signs, as AWS, botocore, the AWS SDK for JavaScript 2, s3cmd and MinIO
 * list them.
 */
export const CLASSIC_SUBRESOURCES = [
  ...['accelerate', 'acl', 'analytics', 'cors', 'defaultObjectAcl', 'delete', 'encryption', 'inventory'],
  ...['legal-hold', 'lifecycle', 'location', 'logging', 'metrics', 'notification', 'object-lock', 'partNumber'],
  ...['policy', 'replication', 'requestPayment', 'restore', 'retention', 'select', 'select-type', 'storageClass'],
  ...['tagging', 'torrent', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'website'],
  ...OVERRIDE_NAMES,
];

/**
 * Further names that mean something: to other operations of S3, to other stores that speak S3, or to another vendor
 * whose client was sent here by mistake.
 */
const MEANINGFUL_ELSEWHERE = [
  ...['annotation-prefix', 'max-annotation-results', 'max-directory-buckets'],
  ...['append', 'position', 'allow-unordered', 'mdsearch', 'usage', 'quota', 'sync', 'uid', 'obj'], // Ceph RGW
  ...['events', 'force', 'lambdaArn', 'metadata', 'ping', 'replication-check', 'replication-metrics'], // MinIO
  ...['replication-reset', 'replication-reset-status', 'zip'],
  ...['bucketInfo', 'callback', 'cname', 'comp', 'image', 'img', 'mirror', 'objectMeta', 'part_number'],
  ...['qos', 'referer', 'rename', 'stat', 'stats', 'style', 'symlink', 'upload_id', 'version_id', 'worm'],
];

const KNOWN: ReadonlySet<string> = new Set(
  [
    ...S3_OPERATIONS.flatMap(({ subresource, needsParameter, parameters }) => [
      ...(subresource === undefined ? [] : [subresource]),
      ...(needsParameter === undefined ? [] : [needsParameter]),
      ...parameters,
    ]),
    ...CLASSIC_SUBRESOURCES,
    ...MEANINGFUL_ELSEWHERE,
  ].map((name) => name.toLowerCase()),
);

/** Matches names of the form of sub-resources: `acl`, `uploads`, `publicAccessBlock`, but not `utm_source` or `123`. */
const LIKE_A_SUBRESOURCE = /^(?!x-)[a-z][A-Za-z-]*$/;

/**
 * Whether a parameter that the operation does not know may be ignored. One without a value may be a sub-resource that
 * S3 introduces later. If it were ignored, `PUT /bucket/key?newSetting` would replace the object by the setting's
 * document.
 * @param name the decoded name
 * @param value the decoded value, '' where there is none
 */
export function isMeaningless(name: string, value: string, { treatment, method, level }: S3Operation): boolean {
  if (name === 'Version' && value === API_VERSION) return true;
  if (treatment === 'forwarded' || method === 'DELETE' || method === 'POST') return false;
  const lower = name.toLowerCase();
  if (KNOWN.has(lower) || lower.startsWith('response-') || isAmzParameter(name)) return false;
  const isRead = level === 'object' && method !== 'PUT';
  return isRead || value !== '' || !LIKE_A_SUBRESOURCE.test(name);
}

/** The only version of S3's API. Apache Libcloud sends it with every request. */
const API_VERSION = '2006-03-01';
