import { clientError } from '../errors.ts';
import type { WireRequest } from '../wire/message.ts';
import { bucketLocation, bucketVersioning, createBucket, deleteBucket, headBucket, listBuckets } from './buckets.ts';
import type { Handler } from './call.ts';
import { copyObject, uploadPartCopy } from './copies.ts';
import { listObjects, listObjectsV2, listObjectVersions } from './listings.ts';
import { abortUpload, completeUpload, createUpload, listParts, uploadPart } from './multipart.ts';
import { deleteObject, deleteObjects, getObject, headObject, putObject } from './objects.ts';
import { deleteTagging, getTagging, putTagging } from './tagging.ts';
import { listUploads } from './upload-listing.ts';

interface Route {
  readonly on: 'service' | 'bucket' | 'object';
  readonly method: string;
  /** Query names that must be there … */
  readonly asks?: readonly string[];
  /** … and that may. Any other makes the request one that is not implemented: nothing asked is left out in silence. */
  readonly takes?: readonly string[];
  readonly copies?: boolean;
  readonly handler: Handler;
}

const LISTS = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const READS = [
  'versionId',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
];
const UPLOADS = ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'];
const LISTS_V2 = [...LISTS, 'start-after', 'continuation-token', 'fetch-owner'];
const VERSIONS = [...LISTS, 'key-marker', 'version-id-marker'];
const VERSION = ['versionId'];
const PART = ['partNumber', 'uploadId'];
const TAGGING = { asks: ['tagging'], takes: VERSION };

/** What the store can do, whole. */
const ROUTES: readonly Route[] = [
  { on: 'service', method: 'GET', handler: listBuckets },
  { on: 'bucket', method: 'HEAD', handler: headBucket },
  { on: 'bucket', method: 'PUT', handler: createBucket },
  { on: 'bucket', method: 'DELETE', handler: deleteBucket },
  { on: 'bucket', method: 'GET', asks: ['location'], handler: bucketLocation },
  { on: 'bucket', method: 'GET', asks: ['versioning'], handler: bucketVersioning },
  { on: 'bucket', method: 'GET', asks: ['uploads'], takes: UPLOADS, handler: listUploads },
  { on: 'bucket', method: 'GET', asks: ['versions'], takes: VERSIONS, handler: listObjectVersions },
  { on: 'bucket', method: 'GET', asks: ['list-type'], takes: LISTS_V2, handler: listObjectsV2 },
  { on: 'bucket', method: 'GET', takes: [...LISTS, 'marker'], handler: listObjects },
  { on: 'bucket', method: 'POST', asks: ['delete'], handler: deleteObjects },
  { on: 'object', method: 'POST', asks: ['uploads'], handler: createUpload },
  { on: 'object', method: 'PUT', asks: PART, copies: true, handler: uploadPartCopy },
  { on: 'object', method: 'PUT', asks: PART, handler: uploadPart },
  { on: 'object', method: 'GET', asks: ['uploadId'], takes: ['max-parts', 'part-number-marker'], handler: listParts },
  { on: 'object', method: 'POST', asks: ['uploadId'], handler: completeUpload },
  { on: 'object', method: 'DELETE', asks: ['uploadId'], handler: abortUpload },
  { on: 'object', method: 'GET', ...TAGGING, handler: getTagging },
  { on: 'object', method: 'PUT', ...TAGGING, handler: putTagging },
  { on: 'object', method: 'DELETE', ...TAGGING, handler: deleteTagging },
  { on: 'object', method: 'PUT', copies: true, handler: copyObject },
  { on: 'object', method: 'PUT', handler: putObject },
  { on: 'object', method: 'GET', takes: READS, handler: getObject },
  { on: 'object', method: 'HEAD', takes: READS, handler: headObject },
  { on: 'object', method: 'DELETE', takes: VERSION, handler: deleteObject },
];

/** @throws GatewayError NotImplemented */
export function findRoute(
  request: WireRequest,
  address: { readonly bucketName: string; readonly key: string },
): Handler {
  const on = address.key !== '' ? 'object' : address.bucketName !== '' ? 'bucket' : 'service';
  const names = request.query.parameters.map(({ name }) => name).filter((name) => !isOfAnySdk(name));
  const copies = request.headers.has('x-amz-copy-source');
  const route = ROUTES.find(
    ({ asks = [], takes = [], ...route }) =>
      route.on === on &&
      route.method === request.method &&
      (route.copies ?? false) === copies &&
      asks.every((name) => names.includes(name)) &&
      names.every((name) => asks.includes(name) || takes.includes(name)),
  );
  if (route === undefined) {
    throw clientError('NotImplemented', 'The embedded store implements only what the gateway asks of a store.');
  }
  return route.handler;
}

/** `x-id` only names the operation; `X-Amz-*` is a signature's, and `authorize` has judged it. */
function isOfAnySdk(name: string): boolean {
  return name === 'x-id' || name.startsWith('X-Amz-');
}
