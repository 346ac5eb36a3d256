import { clientError } from '../../../../errors.ts';
import type { CopySource } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { percentDecode } from '../../../../wire/percent.ts';
import { checkBucketName, checkKey } from '../../address.ts';

const HEADER = 'x-amz-copy-source';
const VERSION = 'versionId=';

/**
 * Reads the source of a copy and the conditions on it. The header has `bucket/key` or `/bucket/key`, percent-encoded,
 * and may end in `?versionId=…`. Unlike in a URL's path, a plus is a blank here: Java's URLEncoder writes it so, and
 * AWS reads it so.
 * @throws GatewayError InvalidArgument, InvalidBucketName, KeyTooLongError
 */
export function readCopySource(headers: HeaderList): CopySource {
  const [value = '', ...more] = headers.getAll(HEADER);
  if (more.length > 0) throw clientError('InvalidArgument', `${HEADER} may be there once only.`);
  // The value is split before it is decoded, so that an encoded question mark stays part of the key.
  const mark = value.indexOf('?');
  const encoded = mark === -1 ? value : value.slice(0, mark);
  const path = decoded(encoded.replaceAll('+', ' ')).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) throw malformed();
  const bucket = path.slice(0, slash);
  const key = path.slice(slash + 1);
  checkBucketName(bucket);
  checkKey(key);
  const versionId = mark === -1 ? undefined : readVersion(value.slice(mark + 1));
  return {
    ref: { bucket, key, versionId },
    conditions: {
      ifMatch: headers.get(`${HEADER}-if-match`),
      ifNoneMatch: headers.get(`${HEADER}-if-none-match`),
      ifModifiedSince: headers.get(`${HEADER}-if-modified-since`),
      ifUnmodifiedSince: headers.get(`${HEADER}-if-unmodified-since`),
    },
  };
}

function readVersion(query: string): string {
  const versionId = query.startsWith(VERSION) ? decoded(query.slice(VERSION.length)) : '';
  // With a further parameter the backend might copy another object than the one that the gateway has checked.
  if (versionId === '' || /[&\0-\x1f]/.test(versionId)) throw malformed();
  return versionId;
}

function decoded(text: string): string {
  try {
    return percentDecode(text);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): Error {
  return clientError(
    'InvalidArgument',
    'Copy source must name the source bucket and key: bucket/key or bucket/key?versionId=id, percent-encoded as UTF-8.',
    { cause },
  );
}
