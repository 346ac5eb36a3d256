import { clientError } from '../../../../errors.ts';
import type { FormReply, PostObject } from '../../../../operations/operation.ts';
import { headerValue } from '../../../../wire/header-value.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import type { WireRequest } from '../../../../wire/message.ts';
import { percentEncode } from '../../../../wire/percent.ts';
import { readXml, xmlText } from '../../../../wire/xml/xml.ts';
import { CONTENT_HEADERS } from '../../../object-metadata.ts';
import { checkKey } from '../../address.ts';
import { TOKEN } from '../../amz-fields.ts';
import { readPutObject } from '../requests/put-object.ts';
import { missingField } from './post-claim.ts';

/** The x-amz-* fields that make up the form's signature. All others mean what the header of that name means. */
const SIGNATURE_FIELDS: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-signature',
]);

/** The other fields that mean what the header of that name means. */
const HEADER_FIELDS: ReadonlySet<string> = new Set([...CONTENT_HEADERS.map(([name]) => name), 'content-md5']);

/**
 * Turns a form's fields into the headers that a PUT of the same object would have. Fields that mean nothing to S3 are
 * left out.
 * @param fields the form's fields, by name in lower case
 * @throws GatewayError InvalidArgument, NotImplemented (a MinIO extension that would store further objects)
 */
export function formHeaders(fields: ReadonlyMap<string, string>): HeaderList {
  const headers = new HeaderList();
  const append = (name: string, value: string) => {
    if (!TOKEN.test(name))
      throw clientError('InvalidArgument', 'A form field that begins with x-amz- has no valid name.');
    if (headers.has(name)) throw clientError('InvalidArgument', `The form says ${name} twice.`);
    headers.append(name, headerValue(name, value));
  };
  for (const [name, value] of fields) {
    if (name.startsWith('x-minio-')) {
      throw clientError('NotImplemented', `The form field ${name.slice(0, 64)} is not available.`);
    }
    if (name === 'acl') append('x-amz-acl', value);
    else if (name === 'tagging') append('x-amz-tagging', taggingHeader(value));
    else if (HEADER_FIELDS.has(name)) append(name, value);
    else if (name.startsWith('x-amz-') && !SIGNATURE_FIELDS.has(name)) append(name, value);
  }
  return headers;
}

/**
 * Reads the operation of a form upload.
 * @param fields the form's fields, by name in lower case, variables expanded
 * @throws GatewayError InvalidArgument, KeyTooLongError, InvalidObjectName, and those of readPutObject
 */
export function readPostObject(bucket: string, fields: ReadonlyMap<string, string>, request: WireRequest): PostObject {
  const key = fields.get('key');
  if (key === undefined) throw missingField('key');
  if (key === '') throw clientError('InvalidArgument', 'User key must have a length greater than 0.');
  checkKey(key);
  const put = readPutObject({ bucket, key }, formHeaders(fields));
  const conditions = { ifMatch: request.headers.get('if-match'), ifNoneMatch: request.headers.get('if-none-match') };
  return { ...put, kind: 'PostObject', conditions, reply: readReply(fields) };
}

const STATUSES: ReadonlyMap<string | undefined, FormReply['status']> = new Map([
  ['200', 200],
  ['201', 201],
]);

/** Reads which answer the form asks for. As in S3, a value that cannot be understood counts as absent. */
function readReply(fields: ReadonlyMap<string, string>): FormReply {
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect') ?? '';
  return {
    redirect: /^https?:/i.test(redirect) && URL.canParse(redirect) ? new URL(redirect) : undefined,
    status: STATUSES.get(fields.get('success_action_status')) ?? 204,
  };
}

/**
 * Turns the field `tagging`, which has an XML document, into the value of x-amz-tagging, which is written as a query.
 */
function taggingHeader(document: string): string {
  const root = readXml(Buffer.from(document, 'utf8'));
  const [set, ...more] = root.children;
  const tags = (set?.children ?? []).map((tag) => [xmlText(tag, 'Key'), xmlText(tag, 'Value')] as const);
  const wellFormed = root.name === 'Tagging' && more.length === 0 && set?.name === 'TagSet';
  if (!wellFormed || tags.some(([key, value]) => key === undefined || value === undefined)) {
    throw clientError('MalformedBody', 'The form field tagging must hold a Tagging document.');
  }
  return tags.map(([key = '', value = '']) => `${percentEncode(key)}=${percentEncode(value)}`).join('&');
}
