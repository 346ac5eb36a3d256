import { HeaderList } from '../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import type { Identifier, StoreBucket, StoreRef } from '../../identifiers.ts';

/*
 * Makes the paths and queries of S3 requests to a store. They are in path style, so that a bucket's name needs no DNS
 * entry and no certificate. Callers give query parameters in the order into which SigV4 sorts them.
 */

/** The value of a query parameter: an identifier that the store's grammar has checked, or one of this dialect's own. */
type QueryValue = Identifier | number | '' | 'url' | 'true' | undefined;
/** A parameter whose value is undefined is left out. */
export type Query = readonly (readonly [name: string, value: QueryValue])[];

/** A request that has no body and may be sent a second time when no answer came. */
export function bodiless(method: 'GET' | 'HEAD' | 'DELETE', path: string, headers = new HeaderList()): OutgoingRequest {
  return { method, path, headers, body: undefined, idempotent: true };
}

/** The request target for a bucket: `/bucket?query`. */
export function bucketPath(bucket: StoreBucket, query: Query = []): string {
  return `/${percentEncode(bucket)}${queryText(query)}`;
}

/** The request target for an object: `/bucket/key?query`. The version of `ref` must be given in the query. */
export function objectPath(ref: StoreRef, query: Query = []): string {
  return `/${percentEncode(ref.bucket)}/${percentEncodePath(ref.key)}${queryText(query)}`;
}

function queryText(query: Query): string {
  let text = '';
  for (const [name, value] of query) {
    if (value === undefined) continue;
    text += `${text === '' ? '?' : '&'}${name}=${percentEncode(String(value))}`;
  }
  return text;
}

/** Leaves out an absent prefix, delimiter or marker, which in an operation is an empty text. */
export function optional<Text extends string>(text: Text): Text | undefined {
  return text === '' ? undefined : text;
}
