import { OVERRIDE_NAMES } from '../response-overrides.ts';
import { row, type S3Operation } from './operation-row.ts';
import { SETTING_OPERATIONS } from './operation-settings.ts';

/*
 * The table of all operations of the S3 API, with what the gateway does with each. Requests are routed by it, and the
 * README's table is rendered from it. A request for anything that is not in the table is answered NotImplemented.
 */

const READ = { parameters: ['versionId', 'partNumber', ...OVERRIDE_NAMES] };
const LIST = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];

const COPIED =
  'the backend copies the ciphertext under a new envelope; where the protection differs, ' +
  'the gateway opens it and seals it anew';

const OBJECTS: readonly S3Operation[] = [
  row('sealed', 'GetObject', 'GET object', READ, 'opened, authenticated segment by segment'),
  row('edited', 'HeadObject', 'HEAD object', READ, 'plaintext size, ETag and checksum'),
  row('sealed', 'CopyObject', 'PUT object', { needsHeader: 'x-amz-copy-source' }, COPIED),
  row('sealed', 'PutObject', 'PUT object', {}, 'sealed before it reaches the backend'),
  row('edited', 'DeleteObject', 'DELETE object', { parameters: ['versionId'] }, 'as asked'),
  row('edited', 'DeleteObjects', 'POST bucket', { subresource: 'delete' }, 'as asked'),
  row(
    'edited',
    'GetObjectAttributes',
    'GET object',
    { subresource: 'attributes', parameters: ['versionId'] },
    'plaintext size, ETag, checksum and parts',
  ),
  row('refused', 'RenameObject', 'PUT object', { subresource: 'renameObject' }, 'a sealed object is bound to its key'),
  row(
    'refused',
    'UpdateObjectEncryption',
    'PUT object',
    { subresource: 'encryption' },
    'a copy of the object onto itself changes how it is encrypted',
  ),
  row('sealed', 'PostObject', 'POST bucket', {}, 'the file of a signed form: sealed as it streams in'),
  row('refused', 'GetObjectTorrent', 'GET object', { subresource: 'torrent' }, 'a torrent hands out stored bytes'),
  row(
    'refused',
    'SelectObjectContent',
    'POST object',
    { subresource: 'select' },
    'the backend cannot query what it cannot read',
  ),
  row(
    'forwarded',
    'RestoreObject',
    'POST object',
    { subresource: 'restore', parameters: ['versionId'] },
    'the archive gives the ciphertext back; queries and other places for their results are refused',
  ),
  row(
    'refused',
    'WriteGetObjectResponse',
    'POST service',
    {},
    'it belongs to Object Lambda, which would read stored bytes',
  ),
  ...(['GetObjectAnnotation', 'ListObjectAnnotations', 'PutObjectAnnotation', 'DeleteObjectAnnotation'] as const).map(
    (name) =>
      row(
        'refused',
        name,
        `${name.startsWith('Put') ? 'PUT' : name.startsWith('Delete') ? 'DELETE' : 'GET'} object`,
        { subresource: 'annotation', ...(name === 'GetObjectAnnotation' && { needsParameter: 'annotationName' }) },
        'annotations carry bytes that would not be sealed',
      ),
  ),
];

const UPLOADS = ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'];

const MULTIPART: readonly S3Operation[] = [
  row('edited', 'CreateMultipartUpload', 'POST object', { subresource: 'uploads' }, 'draws the key of the object'),
  row(
    'sealed',
    'UploadPartCopy',
    'PUT object',
    { subresource: 'uploadId', needsHeader: 'x-amz-copy-source', parameters: ['partNumber'] },
    'opened and sealed again, because a part has another key than its source',
  ),
  row(
    'sealed',
    'UploadPart',
    'PUT object',
    { subresource: 'uploadId', parameters: ['partNumber'] },
    'sealed before it reaches the backend; numbers end at 9,999',
  ),
  row(
    'sealed',
    'CompleteMultipartUpload',
    'POST object',
    { subresource: 'uploadId' },
    'one more part at the end lists and authenticates the others',
  ),
  row('edited', 'AbortMultipartUpload', 'DELETE object', { subresource: 'uploadId' }, 'as asked'),
  row(
    'edited',
    'ListParts',
    'GET object',
    { subresource: 'uploadId', parameters: ['max-parts', 'part-number-marker', 'encoding-type'] },
    'plaintext sizes',
  ),
  row('edited', 'ListMultipartUploads', 'GET bucket', { subresource: 'uploads', parameters: UPLOADS }, 'as asked'),
];

const KEPT_HERE = 'kept by the gateway, which encrypts; the backend never learns of it';

const BUCKETS: readonly S3Operation[] = [
  row(
    'edited',
    'ListBuckets',
    'GET service',
    { parameters: ['prefix', 'max-buckets', 'bucket-region', 'continuation-token'] },
    'a tenant sees its own buckets',
  ),
  row('edited', 'HeadBucket', 'HEAD bucket', {}, 'the region is the gateway’s'),
  row('edited', 'CreateBucket', 'PUT bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'DeleteBucket', 'DELETE bucket', {}, 'only within the tenant’s patterns'),
  row('edited', 'GetBucketLocation', 'GET bucket', { subresource: 'location' }, 'the region is the gateway’s'),
  row('edited', 'GetBucketEncryption', 'GET bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'PutBucketEncryption', 'PUT bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'DeleteBucketEncryption', 'DELETE bucket', { subresource: 'encryption' }, KEPT_HERE),
  row('edited', 'ListObjects', 'GET bucket', { parameters: [...LIST, 'marker'] }, 'plaintext sizes and ETags'),
  row(
    'edited',
    'ListObjectsV2',
    'GET bucket',
    { subresource: 'list-type', parameters: [...LIST, 'continuation-token', 'start-after', 'fetch-owner'] },
    'plaintext sizes and ETags',
  ),
  row(
    'edited',
    'ListObjectVersions',
    'GET bucket',
    { subresource: 'versions', parameters: [...LIST, 'key-marker', 'version-id-marker'] },
    'plaintext sizes and ETags',
  ),
];

/** All operations. Rows with the same method, level and sub-resource are tried in this order. */
export const S3_OPERATIONS: readonly S3Operation[] = [...OBJECTS, ...MULTIPART, ...BUCKETS, ...SETTING_OPERATIONS];
