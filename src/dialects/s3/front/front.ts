import type { Answer, CrossOriginAnswered } from '../../../operations/answer.ts';
import type { EncryptionFacts } from '../../../operations/encryption.ts';
import { textBody } from '../../../wire/bodies/text-body.ts';
import { formatHttpDate } from '../../../wire/dates.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest, WireResponse } from '../../../wire/message.ts';
import type { FrontDialect, RenderContext } from '../../front-dialect.ts';
import { oneReading } from '../../one-reading.ts';
import { bucketListingDocument, objectsDeletedDocument } from '../../xml-family/bucket-documents.ts';
import { copiedDocument, partCopiedDocument } from '../../xml-family/copy-documents.ts';
import { listingDocument, versionListingDocument } from '../../xml-family/listing-documents.ts';
import {
  partListingDocument,
  uploadCreatedDocument,
  uploadListingDocument,
} from '../../xml-family/upload-documents.ts';
import { readAddress, resourceOf } from '../address.ts';
import { readClaim } from '../signature/signature-claim.ts';
import { unsignedBody } from '../signature/unsigned-body.ts';
import { S3_VOCABULARY } from '../vocabulary.ts';
import { attributesDocument, attributesHeaders } from './answers/render-attributes.ts';
import { bucketEncryptionDocument, locationDocument, policyStatusDocument } from './answers/render-bucket.ts';
import { copiedHeaders } from './answers/render-copied.ts';
import { HOST_ID, renderError } from './answers/render-error.ts';
import { renderLate } from './answers/render-late.ts';
import { renderContent, renderDeleted, renderStored } from './answers/render-object.ts';
import { appendAskedChecksum, renderCompleted, renderPartStored } from './answers/render-upload.ts';
import { renderForm } from './form/render-form.ts';
import { parseRequest } from './parse.ts';
import { appendEncryption } from './requests/encryption-headers.ts';
import { operationNamed } from './requests/route.ts';

const QUERY_SIGNATURE = /(?:^|&)(?:X-Amz-Signature|X-Amz-Algorithm|X-Amz-Credential|AWSAccessKeyId)=/;

/**
 * Makes the S3 front. It also gets every request that no other front recognises (dialects/table.ts).
 * @param now gives the time of the Date header, by which SDKs correct their clocks
 */
export function createS3Front(now: () => Date): FrontDialect {
  const date = dateHeader(now);
  return {
    name: 's3',
    digests: [],
    recognises,
    readings: oneReading({
      resource: resourceOf,
      operationNamed: (request, settings) => operationNamed(request, readAddress(request, settings).level),
      claim: readClaim,
      parse: parseRequest,
      unsignedBody,
    }),
    render: (answer, context) => renderAnswer(answer, commonHeaders(context, date()), context),
    renderError: (error, context) => renderError(error, context, commonHeaders(context, date())),
    renderLate: (settled, beat, context) =>
      renderLate(settled, beat, { headers: commonHeaders(context, date()), encryption: context.encryption }),
  };
}

export const s3Front: FrontDialect = createS3Front(() => new Date());

function recognises(request: WireRequest): boolean {
  const authorization = request.headers.get('authorization');
  if (authorization !== undefined) return authorization.startsWith('AWS4-') || authorization.startsWith('AWS ');
  return request.target.rawQuery !== '' && QUERY_SIGNATURE.test(request.target.rawQuery);
}

/** Formats the date once a second, because formatting it costs more than all other headers together. */
function dateHeader(now: () => Date): () => string {
  let second = Number.NaN;
  let text = '';
  return () => {
    const date = now();
    const current = Math.floor(date.getTime() / 1000);
    if (current !== second) {
      second = current;
      text = formatHttpDate(date);
    }
    return text;
  };
}

function commonHeaders(context: RenderContext, date: string): HeaderList {
  return new HeaderList([
    'x-amz-request-id',
    context.requestId,
    'x-amz-id-2',
    HOST_ID,
    'Date',
    date,
    'Server',
    'Sealgate',
  ]);
}

function renderAnswer(answer: Answer, headers: HeaderList, context: RenderContext): WireResponse {
  const encryption = encryptionOf(answer);
  if (encryption !== undefined) appendEncryption(headers, encryption);
  switch (answer.kind) {
    case 'ObjectContent':
      return renderContent(answer, headers);
    case 'ObjectAttributes':
      return document(attributesDocument(answer), attributesHeaders(answer, headers));
    case 'ObjectStored':
      return renderStored(answer, headers);
    case 'ObjectCopied':
      return document(copiedDocument(answer, S3_VOCABULARY), copiedHeaders(answer, headers));
    case 'FormStored':
      return renderForm(answer, headers, context.request);
    case 'ObjectDeleted':
      return renderDeleted(answer, headers);
    case 'ObjectsDeleted':
      return document(objectsDeletedDocument(answer, S3_VOCABULARY), headers);
    case 'ObjectListing':
      return longDocument(listingDocument(answer, S3_VOCABULARY), headers);
    case 'VersionListing':
      return longDocument(versionListingDocument(answer, S3_VOCABULARY), headers);
    case 'BucketListing':
      return document(bucketListingDocument(answer, S3_VOCABULARY), headers);
    case 'BucketLocation':
      return document(locationDocument(answer), headers);
    case 'BucketEncryptionTold':
      return document(bucketEncryptionDocument(answer), headers);
    case 'BucketPolicyTold':
      return policy(answer.document, headers);
    case 'BucketPolicyStatusTold':
      return document(policyStatusDocument(answer), headers);
    case 'BucketEncryptionSet':
      return empty(200, headers);
    case 'BucketFound':
      return empty(200, headers.append('x-amz-bucket-region', answer.region));
    case 'BucketCreated':
      return empty(200, headers.append('Location', `/${answer.bucket}`));
    case 'CrossOriginAnswered':
      return crossOriginAnswered(answer, headers);
    case 'BucketDeleted':
    case 'BucketEncryptionReset':
    case 'BucketPolicyChanged':
    case 'UploadAborted':
      return { status: 204, headers, body: undefined };
    case 'UploadCreated':
      return document(uploadCreatedDocument(answer, S3_VOCABULARY), appendAskedChecksum(headers, answer.checksum));
    case 'PartCopied':
      return document(partCopiedDocument(answer, S3_VOCABULARY), copiedHeaders(answer, headers));
    case 'PartStored':
      return renderPartStored(answer, headers);
    case 'PartListing':
      return document(partListingDocument(answer, S3_VOCABULARY), headers);
    case 'UploadListing':
      return document(uploadListingDocument(answer, S3_VOCABULARY), headers);
    case 'UploadCompleted':
      return renderCompleted(answer, context, headers);
  }
}

function encryptionOf(answer: Answer): EncryptionFacts | undefined {
  if (answer.kind === 'ObjectContent') return answer.facts.encryption;
  if (answer.kind === 'FormStored') return answer.stored.encryption;
  return 'encryption' in answer ? answer.encryption : undefined;
}

function document(xml: string, headers: HeaderList): WireResponse {
  const body = Buffer.from(xml, 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

function policy(body: Buffer, headers: HeaderList): WireResponse {
  headers.append('Content-Type', 'application/json').append('Content-Length', String(body.length));
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
