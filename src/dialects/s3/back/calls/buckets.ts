import { hash } from 'node:crypto';
import type { CreateBucket } from '../../../../operations/operation.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import { xmlChild, xmlChildren, xmlElement } from '../../../../wire/xml/xml.ts';
import type { DocumentCall, HeadCall, TriedSetting } from '../../../backend-calls.ts';
import type { StoredBucket } from '../../../store-exchange.ts';
import { vendorHeadersFor } from '../../../vendor-headers.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import { readDate, readDocument, required } from '../answer-document.ts';
import { bodiless, bucketPath } from '../request.ts';

type Bucket = { readonly bucket: string };

/** ListBuckets. */
export const listBuckets = {
  takes: 'document',
  render: () => bodiless('GET', '/'),
  read(document) {
    const buckets = xmlChild(readDocument(document, 'ListAllMyBucketsResult'), 'Buckets');
    if (buckets === undefined) return [];
    return xmlChildren(buckets, 'Bucket').map((bucket) => ({
      name: required(bucket, 'Name'),
      created: readDate(bucket, 'CreationDate'),
    }));
  },
} satisfies DocumentCall<object, readonly StoredBucket[]>;

/** HeadBucket. */
export const headBucket = {
  takes: 'nothing',
  render: ({ bucket }) => bodiless('HEAD', bucketPath(bucket)),
  read: () => undefined,
} satisfies HeadCall<Bucket, void>;

/** CreateBucket. */
export const createBucket = {
  takes: 'nothing',
  render({ bucket, location, vendor }) {
    const headers = vendorHeadersFor('s3', vendor);
    const body =
      location === undefined
        ? undefined
        : Buffer.from(
            `${opening('CreateBucketConfiguration', S3_VOCABULARY)}` +
              `${xmlElement('LocationConstraint', location)}</CreateBucketConfiguration>`,
          );
    if (body !== undefined) headers.append('content-type', 'application/xml');
    // If the first attempt succeeded, a second would be told that the bucket exists already.
    return { method: 'PUT', path: bucketPath(bucket), headers, body, idempotent: false };
  },
  read: () => undefined,
} satisfies HeadCall<Pick<CreateBucket, 'bucket' | 'location' | 'vendor'>, void>;

/** DeleteBucket. */
export const deleteBucket = {
  takes: 'nothing',
  // If the first attempt succeeded, a second would be told that there is no such bucket.
  render: ({ bucket }) => ({ ...bodiless('DELETE', bucketPath(bucket)), idempotent: false }),
  read: () => undefined,
} satisfies HeadCall<Bucket, void>;

/** The body of a PutBucketEncryption that is none, and its MD5, without which some stores refuse it unread. */
const NO_CONFIGURATION = Buffer.from('<None/>');
const NO_CONFIGURATION_MD5 = hash('md5', NO_CONFIGURATION, 'base64');

/** A GetBucketEncryption, a PutBucketEncryption that no store takes, or a GetBucketAcl. */
export const tryBucketEncryption = {
  takes: 'nothing',
  render({ bucket, asks }) {
    if (asks !== 'change') {
      return bodiless('GET', bucketPath(bucket, asks === 'acl' ? [['acl', '']] : [['encryption', '']]));
    }
    const headers = HeaderList.of([
      ['content-type', 'application/xml'],
      ['content-md5', NO_CONFIGURATION_MD5],
    ]);
    const path = bucketPath(bucket, [['encryption', '']]);
    return { method: 'PUT', path, headers, body: NO_CONFIGURATION, idempotent: true };
  },
  read: () => undefined,
} satisfies HeadCall<Bucket & { readonly asks: TriedSetting }, void>;

/** GetBucketLocation. */
export const bucketLocation = {
  takes: 'document',
  render: ({ bucket }) => bodiless('GET', bucketPath(bucket, [['location', '']])),
  read(document) {
    const location = readDocument(document, 'LocationConstraint').text.trim();
    // For its first region S3 sends an empty element.
    return location === '' ? 'us-east-1' : location;
  },
} satisfies DocumentCall<Bucket, string>;
