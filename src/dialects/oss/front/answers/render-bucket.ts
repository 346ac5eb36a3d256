import type { BucketFound, BucketListing, BucketLocation, Owner } from '../../../../operations/bucket-answers.ts';
import type { BucketEncryptionTold } from '../../../../operations/bucket-encryption.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { owner } from '../../../xml-family/listing-documents.ts';
import { dateText, opening } from '../../../xml-family/xml-vocabulary.ts';
import { OSS_VOCABULARY } from '../../vocabulary.ts';
import { bucketPage } from '../requests/listing.ts';
import { hostOf } from './common-headers.ts';

/** The answer to GetBucketLocation. */
export function locationDocument({ region }: BucketLocation): string {
  return `${opening('LocationConstraint', OSS_VOCABULARY)}${locationOf(region)}</LocationConstraint>`;
}

/** The answer to ListBuckets: one page of them. */
export function bucketsDocument(answer: BucketListing, context: RenderContext): string {
  const { region } = context.settings;
  const query = context.request?.query;
  const { after, most } = query === undefined ? { after: '', most: Number.MAX_SAFE_INTEGER } : bucketPage(query);
  const rest = answer.buckets
    .filter(({ name }) => name > after)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const page = rest.slice(0, most);
  let xml = `${opening('ListAllMyBucketsResult', OSS_VOCABULARY)}${owner(answer.owner)}`;
  xml += xmlElement('Prefix', query?.get('prefix') ?? '') + xmlElement('Marker', after);
  xml += xmlElement('MaxKeys', most) + xmlElement('IsTruncated', rest.length > page.length);
  xml += `${xmlElement('NextMarker', rest.length > page.length ? page.at(-1)?.name : '')}<Buckets>`;
  for (const { name, created } of page) {
    xml += `<Bucket>${bucketFields({ name, created, region }, context)}${xmlElement('Region', region)}</Bucket>`;
  }
  return `${xml}</Buckets></ListAllMyBucketsResult>`;
}

/** The answer to GetBucketInfo. */
export function bucketInfoDocument(answer: BucketFound, context: RenderContext): string {
  const { bucket, region, created = new Date(0) } = answer;
  return (
    `${opening('BucketInfo', OSS_VOCABULARY)}<Bucket>${bucketFields({ name: bucket, created, region }, context)}` +
    `${owner(answer.owner)}<AccessControlList><Grant>private</Grant></AccessControlList>` +
    '<DataRedundancyType>LRS</DataRedundancyType><Comment></Comment></Bucket></BucketInfo>'
  );
}

function bucketFields(
  { name, created, region }: { readonly name: string; readonly created: Date; readonly region: string },
  context: RenderContext,
): string {
  const host = hostOf(context);
  return (
    `<CreationDate>${dateText(created, OSS_VOCABULARY)}</CreationDate>` +
    xmlElement('ExtranetEndpoint', host) +
    xmlElement('IntranetEndpoint', host) +
    xmlElement('Location', locationOf(region)) +
    xmlElement('Name', name) +
    xmlElement('StorageClass', OSS_VOCABULARY.standardClass)
  );
}

/** OSS writes its regions with this prefix where it tells where a bucket lies. */
function locationOf(region: string): string {
  return region.startsWith('oss-') ? region : `oss-${region}`;
}

/** The answer to GetBucketAcl and GetObjectACL. */
export function aclDocument(whose: Owner, grant: 'private' | 'default'): string {
  return (
    `${opening('AccessControlPolicy', OSS_VOCABULARY)}${owner(whose)}` +
    `<AccessControlList>${xmlElement('Grant', grant)}</AccessControlList></AccessControlPolicy>`
  );
}

/** The answer to GetBucketEncryption. */
export function bucketEncryptionDocument({ rule: { form, keyId } }: BucketEncryptionTold): string {
  return (
    `${opening('ServerSideEncryptionRule', OSS_VOCABULARY)}<ApplyServerSideEncryptionByDefault>` +
    xmlElement('SSEAlgorithm', form === 'kms' ? 'KMS' : 'AES256') +
    xmlElement('KMSMasterKeyID', keyId ?? '') +
    '</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>'
  );
}
