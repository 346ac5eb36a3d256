import { clientError } from '../../../errors.ts';
import { parseBasicIsoDate, parseHttpDate } from '../../../wire/dates.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { LegacySignature } from '../../front-dialect.ts';

/** What a Signature Version 2 says of itself (docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html). */
export interface SigV2Fields {
  readonly version: 2;
  readonly accessKeyId: string;
  /** Base64, as it came. */
  readonly signature: string;
  /** What stands in the string to sign's line for the date. */
  readonly dateLine: string;
  readonly valid:
    | { readonly kind: 'around'; readonly time: Date; readonly text: string }
    | { readonly kind: 'until'; readonly time: Date };
}

/** `AWS <access key id>:<signature>`. @throws GatewayError InvalidArgument, AccessDenied (no date) */
export function readSigV2Header(headers: HeaderList, authorization: string): SigV2Fields {
  const match = /^AWS ([^\s:]+):([^\s:]+)$/.exec(authorization);
  if (match === null) {
    throw clientError('InvalidArgument', 'AWS authorization header is invalid. Expected AwsAccessKeyId:signature.');
  }
  const [, accessKeyId = '', signature = ''] = match;
  const own = headers.getAll('x-amz-date');
  const dates = own.length > 0 ? own : headers.getAll('date');
  const [text = ''] = dates;
  const time = dates.length === 1 ? (parseHttpDate(text) ?? parseBasicIsoDate(text)) : undefined;
  if (time === undefined) {
    throw clientError('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header.');
  }
  // x-amz-date is signed among the x-amz headers; the line stays empty then.
  const dateLine = own.length > 0 ? '' : text;
  return { version: 2, accessKeyId, signature, dateLine, valid: { kind: 'around', time, text } };
}

/** A presigned URL. Its end may be as far away as its signer liked. @throws GatewayError AccessDenied */
export function readSigV2Query({ query }: WireRequest): SigV2Fields {
  const accessKeyId = only(query, 'AWSAccessKeyId');
  // Base64, in which a plus that was not encoded is a plus.
  const signature = only(query, 'Signature').replaceAll(' ', '+');
  const expires = only(query, 'Expires');
  // Twelve digits stay within what a Date can hold.
  if (!/^\d{1,12}$/.test(expires)) {
    throw clientError('AccessDenied', 'Invalid date: Expires must be the seconds since 1970, in digits.');
  }
  const time = new Date(Number(expires) * 1000);
  return { version: 2, accessKeyId, signature, dateLine: expires, valid: { kind: 'until', time } };
}

function only(query: QueryList, name: string): string {
  const [value, ...more] = query.getAll(name);
  if (value !== undefined && value !== '' && more.length === 0) return value;
  throw clientError(
    'AccessDenied',
    'Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters, each once.',
  );
}

/** The refusal begins with S3's words: some clients look for these, and sign anew. */
export function sigV2({ presignedRead }: { readonly presignedRead: boolean }): LegacySignature {
  const setting = `tenant set NAME --sigv2 ${presignedRead ? 'presigned-reads' : 'on'}`;
  const refusal = () =>
    clientError(
      'InvalidRequest',
      `The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 (Signature Version 4), or ask the gateway's administrator for: sealgate ${setting}.`,
    );
  return { presignedRead, setting, refusal };
}
