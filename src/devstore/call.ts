import { clientError } from '../errors.ts';
import { HeaderList } from '../wire/headers.ts';
import type { WireRequest, WireResponse } from '../wire/message.ts';
import { percentDecode } from '../wire/percent.ts';
import { XML_DECLARATION } from '../wire/xml/xml.ts';
import type { Bucket } from './bucket.ts';
import type { Store } from './store.ts';

/** A request for the store, addressed. `bucket` and `key` are '' where the path has none. */
export interface Call {
  readonly request: WireRequest;
  readonly store: Store;
  readonly bucketName: string;
  readonly key: string;
  readonly now: Date;
}

export type Handler = (call: Call) => Promise<WireResponse>;

const MAX_KEY_BYTES = 1_024;

/**
 * Path style only. The key is everything behind the bucket's slash, decoded once and never normalised.
 * @throws GatewayError InvalidURI, KeyTooLongError
 */
export function readAddress(rawPath: string): { readonly bucketName: string; readonly key: string } {
  const slash = rawPath.indexOf('/', 1);
  if (slash === -1) return { bucketName: percentDecode(rawPath.slice(1)), key: '' };
  const key = percentDecode(rawPath.slice(slash + 1));
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw clientError('KeyTooLongError', 'Your key is too long.');
  return { bucketName: percentDecode(rawPath.slice(1, slash)), key };
}

/** @throws GatewayError NoSuchBucket */
export function bucketOf(call: Call): Bucket {
  return call.store.bucket(call.bucketName);
}

/** The bucket has no versions, so its objects have one, named `null`. @throws GatewayError NoSuchVersion */
export function checkVersionId(versionId: string | undefined): void {
  if (versionId !== undefined && versionId !== 'null') {
    throw clientError('NoSuchVersion', 'The version does not exist: the embedded store keeps none but "null".');
  }
}

export function noContent(headers = new HeaderList()): WireResponse {
  return { status: 204, headers, body: undefined };
}

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** 200 with a document: `content` is XML inside the root element. */
export function xmlAnswer(root: string, content: string, headers = new HeaderList()): WireResponse {
  const text = `${XML_DECLARATION}<${root} xmlns="${S3_NAMESPACE}">${content}</${root}>`;
  return { status: 200, headers: headers.append('Content-Type', 'application/xml'), body: Buffer.from(text) };
}
