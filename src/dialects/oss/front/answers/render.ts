import type { Answer, CrossOriginAnswered } from '../../../../operations/answer.ts';
import type { EncryptionFacts } from '../../../../operations/encryption.ts';
import { textBody } from '../../../../wire/bodies/text-body.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { objectsDeletedDocument } from '../../../xml-family/bucket-documents.ts';
import { copiedDocument, partCopiedDocument } from '../../../xml-family/copy-documents.ts';
import { listingDocument, versionListingDocument } from '../../../xml-family/listing-documents.ts';
import {
  partListingDocument,
  uploadCreatedDocument,
  uploadListingDocument,
} from '../../../xml-family/upload-documents.ts';
import { crc64Text, OSS_VOCABULARY, SOMEBODY } from '../../vocabulary.ts';
import { appendEncryption } from '../requests/encryption-headers.ts';
import { isUrlEncoded } from '../requests/listing.ts';
import { commonHeaders } from './common-headers.ts';
import {
  aclDocument,
  bucketEncryptionDocument,
  bucketInfoDocument,
  bucketsDocument,
  locationDocument,
} from './render-bucket.ts';
import {
  addStored,
  completedText,
  copiedHeaders,
  renderContent,
  renderDeleted,
  renderForm,
  renderStored,
} from './render-object.ts';

/** Renders an answer as OSS gives it. */
export function renderOss(answer: Answer, context: RenderContext): WireResponse {
  const headers = commonHeaders(context);
  const asksForAcl = context.request?.query.has('acl') === true;
  const encryption = encryptionOf(answer);
  if (encryption !== undefined && !asksForAcl) appendEncryption(headers, encryption);
  const crc64 = asksForAcl ? undefined : crc64Of(answer);
  if (crc64 !== undefined) headers.append('x-oss-hash-crc64ecma', crc64);
  switch (answer.kind) {
    case 'ObjectContent':
      if (asksForAcl) return acl(context, () => aclDocument(SOMEBODY, 'default'), headers);
      return renderContent(answer, headers, context);
    case 'ObjectStored':
    case 'PartStored':
      return renderStored(answer, headers);
    case 'ObjectCopied':
      return document(copiedDocument(answer, OSS_VOCABULARY), copiedHeaders(answer, headers));
    case 'PartCopied':
      return document(partCopiedDocument(answer, OSS_VOCABULARY), copiedHeaders(answer, headers));
    case 'FormStored':
      return renderForm(answer, headers, context);
    case 'ObjectDeleted':
      return renderDeleted(answer, headers);
    case 'ObjectsDeleted':
      return document(objectsDeletedDocument(answer, OSS_VOCABULARY, { urlEncoded: urlEncoded(context) }), headers);
    case 'ObjectListing':
      return longDocument(listingDocument(answer, OSS_VOCABULARY), headers);
    case 'VersionListing':
      return longDocument(versionListingDocument(answer, OSS_VOCABULARY), headers);
    case 'BucketListing':
      return document(bucketsDocument(answer, context), headers);
    case 'BucketLocation':
      return document(locationDocument(answer), headers);
    case 'BucketFound':
      if (asksForAcl) return acl(context, () => aclDocument(answer.owner, 'private'), headers);
      if (context.request?.query.has('bucketInfo') === true) {
        return document(bucketInfoDocument(answer, context), headers);
      }
      return empty(200, headers);
    case 'BucketEncryptionTold':
      return document(bucketEncryptionDocument(answer), headers);
    case 'BucketEncryptionSet':
      return empty(200, headers);
    case 'BucketCreated':
      return empty(200, headers.append('Location', `/${answer.bucket}`));
    case 'CrossOriginAnswered':
      return crossOriginAnswered(answer, headers);
    case 'BucketDeleted':
    case 'BucketEncryptionReset':
    case 'UploadAborted':
      return { status: 204, headers, body: undefined };
    case 'UploadCreated':
      return document(uploadCreatedDocument(answer, OSS_VOCABULARY), headers);
    case 'PartListing':
      return document(partListingDocument(answer, OSS_VOCABULARY), headers);
    case 'UploadListing':
      return document(uploadListingDocument(answer, OSS_VOCABULARY), headers);
    case 'UploadCompleted':
      return document(completedText(answer, context), addStored(answer, headers));
    case 'ObjectAttributes':
    case 'BucketPolicyTold':
    case 'BucketPolicyStatusTold':
    case 'BucketPolicyChanged':
      throw new Error(`The OSS front asks for nothing that is answered by ${answer.kind}.`);
  }
}

function encryptionOf(answer: Answer): EncryptionFacts | undefined {
  if (answer.kind === 'ObjectContent') return answer.facts.encryption;
  if (answer.kind === 'FormStored') return answer.stored.encryption;
  return 'encryption' in answer ? answer.encryption : undefined;
}

/** The CRC-64 of the object or part that an answer is about, as OSS writes it; undefined where it is not known. */
function crc64Of(answer: Answer): string | undefined {
  const told = answer.kind === 'FormStored' ? answer.stored : answer.kind === 'ObjectContent' ? answer.facts : answer;
  return 'crc64' in told && told.crc64 !== undefined ? crc64Text(told.crc64) : undefined;
}

function urlEncoded({ request }: RenderContext): boolean {
  return request !== undefined && isUrlEncoded(request.query);
}

/** The answer to a request for an ACL, or to one that set the ACL that there is anyhow. */
function acl({ request }: RenderContext, told: () => string, headers: HeaderList): WireResponse {
  return request?.method === 'GET' ? document(told(), headers) : empty(200, headers);
}

function document(xml: string, headers: HeaderList): WireResponse {
  const body = Buffer.from(xml, 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

/** Answers with a document that is produced while the client reads it. Only a short one has a Content-Length. */
function longDocument(texts: Iterable<string>, headers: HeaderList): WireResponse {
  const body = textBody(texts);
  headers.append('Content-Type', 'application/xml');
  if (Buffer.isBuffer(body)) headers.append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

function crossOriginAnswered({ status, headers: said }: CrossOriginAnswered, headers: HeaderList): WireResponse {
  for (const [name, value] of said) headers.append(name, value);
  return status === 204 ? { status, headers, body: undefined } : empty(status, headers);
}

function empty(status: number, headers: HeaderList): WireResponse {
  return { status, headers: headers.append('Content-Length', '0'), body: undefined };
}
