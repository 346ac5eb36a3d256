import type { BucketListing, BucketLocation, Owner } from '../../../../operations/bucket-answers.ts';
import type { BucketEncryptionTold } from '../../../../operations/bucket-encryption.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { owner } from '../../../xml-family/listing-documents.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { COS_VOCABULARY, shortDate } from '../../vocabulary.ts';
import { bucketPage } from '../requests/listing.ts';

/** The answer to GetBucketLocation. */
export function locationDocument({ region }: BucketLocation): string {
  return `${opening('LocationConstraint', COS_VOCABULARY)}${region}</LocationConstraint>`;
}

/** The answer to GetService: one page of the buckets. */
export function bucketsDocument(answer: BucketListing, { request, settings }: RenderContext): string {
  const { region } = settings;
  const query = request?.query;
  const { after, most } = query === undefined ? { after: '', most: Number.MAX_SAFE_INTEGER } : bucketPage(query);
  const elsewhere = (query?.get('region') || region) !== region;
  const rest = answer.buckets
    .filter(({ name }) => name > after && !elsewhere)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  const page = rest.slice(0, most);
  const truncated = rest.length > page.length;
  let xml = `${opening('ListAllMyBucketsResult', COS_VOCABULARY)}${owner(answer.owner)}`;
  xml += xmlElement('Marker', after) + xmlElement('NextMarker', truncated ? page.at(-1)?.name : '');
  xml += `${xmlElement('IsTruncated', truncated)}<Buckets>`;
  for (const { name, created } of page) {
    xml += `<Bucket>${xmlElement('Name', name)}${xmlElement('Location', region)}`;
    xml += `<CreationDate>${shortDate(created)}</CreationDate><BucketType>cos</BucketType></Bucket>`;
  }
  return `${xml}</Buckets></ListAllMyBucketsResult>`;
}

/** The answer to GetBucketACL and GetObjectACL: everything for the owner, and nothing for anybody else. */
export function aclDocument(whose: Owner): string {
  const grantee =
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">' +
    `${xmlElement('ID', whose.id)}${xmlElement('DisplayName', whose.displayName)}</Grantee>`;
  return (
    `${opening('AccessControlPolicy', COS_VOCABULARY)}${owner(whose)}<AccessControlList>` +
    `<Grant>${grantee}<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`
  );
}

/** The answer to GetBucketEncryption, with the elements that the SDKs for Go and Python read. */
export function bucketEncryptionDocument({ rule: { form, keyId } }: BucketEncryptionTold): string {
  return (
    `${opening('ServerSideEncryptionConfiguration', COS_VOCABULARY)}<Rule><ApplyServerSideEncryptionByDefault>` +
    xmlElement('SSEAlgorithm', form === 'kms' ? 'KMS' : 'AES256') +
    (keyId === undefined ? '' : xmlElement('KMSMasterKeyID', keyId)) +
    '</ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>'
  );
}
