import { OVERRIDE_NAMES } from '../../../response-overrides.ts';
import { isAmzParameter } from '../../amz-fields.ts';
import type { S3Operation } from '../../operation-row.ts';
import { S3_OPERATIONS } from '../../operation-table.ts';

/**
 * S3 ignores a query parameter that it does not know, and clients rely on it: `?v=123` passes by caches, `utm_source`
 * comes from links. The gateway ignores one as well, where it can't be a word for something else: not where stores know
 * the name, not where a request is forwarded, and never where something would be deleted.
 */

/** Signature Version 2's list of sub-resources, of AWS, botocore, the AWS SDK for JavaScript 2, s3cmd and MinIO. */
export const CLASSIC_SUBRESOURCES = [
  ...['accelerate', 'acl', 'analytics', 'cors', 'defaultObjectAcl', 'delete', 'encryption', 'inventory'],
  ...['legal-hold', 'lifecycle', 'location', 'logging', 'metrics', 'notification', 'object-lock', 'partNumber'],
  ...['policy', 'replication', 'requestPayment', 'restore', 'retention', 'select', 'select-type', 'storageClass'],
  ...['tagging', 'torrent', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'website'],
  ...OVERRIDE_NAMES,
];

/** What the API understands beside, or another store that speaks S3, or another vendor's whose client errs. */
const ELSEWHERE = [
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
    ...ELSEWHERE,
  ].map((name) => name.toLowerCase()),
);

/** As S3 and its kin name sub-resources: `?acl`, `?uploads=`, `?publicAccessBlock`, but not `?utm_source` or `?123`. */
const LIKE_A_SUBRESOURCE = /^(?!x-)[a-z][A-Za-z-]*$/;

/**
 * Whether a parameter that the operation does not know may be left unread. What has no value and looks like a
 * sub-resource may be one of tomorrow: taken for noise, `PUT /bucket/key?tomorrow` would replace the object by a setting.
 * @param name decoded
 */
export function isMeaningless(name: string, value: string, { treatment, method, level }: S3Operation): boolean {
  if (name === 'Version' && value === API_VERSION) return true;
  if (treatment === 'forwarded' || method === 'DELETE' || method === 'POST') return false;
  const lower = name.toLowerCase();
  if (KNOWN.has(lower) || lower.startsWith('response-') || isAmzParameter(name)) return false;
  const isRead = level === 'object' && method !== 'PUT';
  return isRead || value !== '' || !LIKE_A_SUBRESOURCE.test(name);
}

/** S3 has only this version of its API. Apache Libcloud states it with every request. */
const API_VERSION = '2006-03-01';
