import { OVERRIDE_NAMES } from '../../response-overrides.ts';

/**
 * The query parameters that Signature Version 1 covers: those that any of the vendor's SDKs signs (ali-oss, oss2, Go
 * and Java of both generations). Parameters that begin with `x-oss-` are signed too, whatever they are. All others
 * are not, among them prefix, marker and max-keys.
 */
const SIGNED: ReadonlySet<string> = new Set([
  ...OVERRIDE_NAMES,
  ...[
    ...['accessPoint', 'accessPointPolicy', 'acl', 'append', 'asyncFetch', 'bucketArchiveDirectRead', 'bucketInfo'],
    ...['callback', 'callback-var', 'cloudboxes', 'cname', 'comp', 'continuation-token', 'cors', 'delete'],
    ...['encryption', 'endTime', 'group', 'httpsConfig', 'img', 'inventory', 'inventoryId', 'lifecycle', 'link'],
    ...['live', 'location', 'logging', 'metaQuery', 'objectInfo', 'objectMeta', 'partNumber', 'policy'],
    ...['policyStatus', 'position', 'processConfiguration', 'publicAccessBlock', 'qos', 'qosInfo', 'qosRequester'],
    ...['redundancyTransition', 'referer', 'regionList', 'replication', 'replicationLocation'],
    ...['replicationProgress', 'requestPayment', 'requesterQosInfo', 'resourceGroup', 'resourcePool'],
    ...['resourcePoolBuckets', 'resourcePoolInfo', 'restore', 'seal', 'security-token', 'sequential', 'startTime'],
    ...['stat', 'status', 'style', 'styleName', 'symlink', 'tagging', 'transferAcceleration', 'udf'],
    ...['udfApplication', 'udfId', 'udfImage', 'udfImageDesc', 'udfName', 'uploadId', 'uploads', 'versionId'],
    ...['versioning', 'versions', 'vip', 'vod', 'vpcip', 'website', 'worm', 'wormExtend', 'wormId'],
  ],
]);

/** The parameter of the list above that SDKs older than ListObjectsV2 do not sign. It only says where a page begins. */
const NOT_SIGNED_BY_OLDER_SDKS = 'continuation-token';

/** Whether Signature Version 1 covers a query parameter. */
export function isSubresource(name: string): boolean {
  return SIGNED.has(name) || name.startsWith('x-oss-');
}

/** Whether it does in every SDK. */
export function isSubresourceForAll(name: string): boolean {
  return isSubresource(name) && name !== NOT_SIGNED_BY_OLDER_SDKS;
}
