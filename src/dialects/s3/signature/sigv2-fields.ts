import { clientError } from '../../../errors.ts';
import { parseBasicIsoDate, parseHttpDate } from '../../../wire/dates.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { LegacySignature } from '../../front-dialect.ts';

/**
 * What a signature of Version 2 says of itself (docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html). It is
 * not verified yet.
 */
export interface SigV2Fields {
  readonly version: 2;
  readonly accessKeyId: string;
  /** The signature in base64, as it was sent. */
  readonly signature: string;
  /** The line for the date in the string to sign. */
  readonly dateLine: string;
  /** When the request is valid: near the time of its date, or, for a presigned URL, until a time. */
  readonly valid:
    | { readonly kind: 'around'; readonly time: Date; readonly text: string }
    | { readonly kind: 'until'; readonly time: Date };
}

/**
 * Reads a signature in the Authorization header: `AWS <access key id>:<signature>`.
 * @throws GatewayError InvalidArgument, AccessDenied (no date)
 */
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
  // x-amz-date is signed among the x-amz headers, and then the line for the date is empty.
  const dateLine = own.length > 0 ? '' : text;
  return { version: 2, accessKeyId, signature, dateLine, valid: { kind: 'around', time, text } };
}

/**
 * Reads the signature of a presigned URL. Version 2 sets no limit to its validity.
 * @throws GatewayError AccessDenied
 */
export function readSigV2Query({ query }: WireRequest): SigV2Fields {
  const accessKeyId = only(query, 'AWSAccessKeyId');
  // Some clients do not encode the plus signs of the base64, which the query then reads as blanks.
  const signature = only(query, 'Signature').replaceAll(' ', '+');
  const expires = only(query, 'Expires');
  // A Date can hold any number of seconds with twelve digits.
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

/**
 * Describes Version 2 as a deprecated scheme. The refusal begins with S3's words, because some clients look for them
 * and then sign with Version 4.
 */
export function sigV2({ presignedRead }: { readonly presignedRead: boolean }): LegacySignature {
  const setting = `tenant set NAME --sigv2 ${presignedRead ? 'presigned-reads' : 'on'}`;
  const refusal = () =>
    clientError(
      'InvalidRequest',
      'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 ' +
        `(Signature Version 4), or ask the gateway's administrator for: sealgate ${setting}.`,
    );
  return { presignedRead, setting, refusal };
}
