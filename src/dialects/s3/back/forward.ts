import { createHash } from 'node:crypto';
import { clientError } from '../../../errors.ts';
import type { Forward } from '../../../operations/operation.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import { percentEncode } from '../../../wire/percent.ts';
import type { ForwardedRequest } from '../../backend-dialect.ts';
import type { ForStore } from '../../identifiers.ts';
import { effectiveHeaders } from '../amz-fields.ts';
import { forwardedFields } from '../front/requests/forwarded-fields.ts';
import { bucketPath, objectPath } from './request.ts';

/**
 * Implements BackendDialect.forward. Nothing of the client's request target is copied. Bucket and key come from the
 * operation, and only those query parameters and headers that the operation may have (forwarded-fields.ts) are sent,
 * encoded anew. So the backend reads exactly the names and values that were checked.
 * @throws GatewayError InvalidArgument for a query value that is neither an id nor a token
 */
export function forward(request: WireRequest, operation: ForStore<Forward>, document: Buffer): ForwardedRequest {
  const { bucket, key, name } = operation;
  const { parameters, requestHeaders, answerHeaders } = forwardedFields(name);
  const path = key === undefined ? bucketPath(bucket) : objectPath({ bucket, key });
  const query = request.query.parameters
    .filter((parameter) => parameters.has(parameter.name))
    .map(({ name: field, value, hasEquals }) => {
      if (!VALUE.test(value) || value.includes('..')) throw noValue(field);
      return percentEncode(field) + (hasEquals ? `=${percentEncode(value)}` : '');
    })
    .join('&');
  const headers = new HeaderList();
  effectiveHeaders(request).forEach((lower, value, rawName) => {
    if (!requestHeaders.has(lower)) return;
    const kept = lower === 'content-encoding' ? withoutAwsChunked(value) : value;
    if (kept !== '') headers.append(rawName, kept);
  });
  const body = document.length === 0 ? undefined : document;
  // S3 requires Content-MD5 for some settings. The client may have sent another checksum, in a trailer of its body.
  if (body !== undefined) headers.append('content-md5', createHash('md5').update(body).digest('base64'));
  return {
    request: {
      method: request.method,
      path: query === '' ? path : `${path}?${query}`,
      headers,
      body,
      idempotent: request.method !== 'POST',
    },
    answerHeaders,
  };
}

/** Matches version ids, ids of configurations, and tokens. The query of a forwarded operation has no other values. */
const VALUE = /^[A-Za-z0-9._~+=/:@-]{0,2048}$/;

function noValue(field: string): Error {
  return clientError('InvalidArgument', `The query parameter ${field} has a value that no such parameter can have.`);
}

function withoutAwsChunked(value: string): string {
  const codings = value.split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding.toLowerCase() !== 'aws-chunked').join(',');
}
