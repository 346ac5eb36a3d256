import { HeaderList } from '../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import type { Identifier, StoreBucket, StoreRef } from '../../identifiers.ts';

/**
 * The parts that S3 requests to a store are made of. Their targets are in path style, so a bucket's name need not resolve
 * nor match a certificate. Queries are rendered in the order into which SigV4 sorts them.
 */

/** A client's words may stand in a query only where a grammar made them. The literals are this dialect's own. */
type QueryValue = Identifier | number | '' | 'url' | 'true' | undefined;
/** A parameter whose value is undefined is left out. */
export type Query = readonly (readonly [name: string, value: QueryValue])[];

/** A request without a body that may be sent twice. */
export function bodiless(method: 'GET' | 'HEAD' | 'DELETE', path: string, headers = new HeaderList()): OutgoingRequest {
  return { method, path, headers, body: undefined, idempotent: true };
}

export function bucketPath(bucket: StoreBucket, query: Query = []): string {
  return `/${percentEncode(bucket)}${queryText(query)}`;
}

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

/** The model writes an absent prefix, delimiter or marker as an empty text; a query leaves it out. */
export function optional<Text extends string>(text: Text): Text | undefined {
  return text === '' ? undefined : text;
}
