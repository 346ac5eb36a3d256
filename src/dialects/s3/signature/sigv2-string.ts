import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryParameter } from '../../../wire/query.ts';
import { effectiveHeaders } from '../amz-fields.ts';
import { CLASSIC_SUBRESOURCES } from '../front/requests/query-names.ts';
import { S3_OPERATIONS } from '../operation-table.ts';
import { canonicalPaths } from './canonical-request.ts';

/*
 * Makes the string to sign of Signature Version 2 (docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html).
 * The scheme does not sign the body and most of the query, so all that it does sign is verified strictly.
 */

/**
 * The query parameters that must be signed: all that select another operation, even if some clients do not sign them.
 * Otherwise somebody could append `&retention` to a URL that was presigned to upload an object, and so set its
 * retention. `list-type` is not among them, because it selects another form of the same listing.
 */
const SIGNED: ReadonlySet<string> = new Set([
  ...CLASSIC_SUBRESOURCES,
  ...S3_OPERATIONS.flatMap(({ subresource }) => subresource ?? []).filter((name) => name !== 'list-type'),
]);

/**
 * Returns the texts that a client may have signed for this request, since SDKs write the resource in different ways.
 * @param options `dateLine` is the line for the date; `hostBucket` is the bucket that the Host header names
 */
export function stringsToSign(
  request: WireRequest,
  { dateLine, hostBucket }: { readonly dateLine: string; readonly hostBucket: string | undefined },
): string[] {
  const { method, target } = request;
  const headers = effectiveHeaders(request);
  const head = `${method}\n${headers.get('content-md5') ?? ''}\n${headers.get('content-type') ?? ''}\n${dateLine}\n`;
  const amz = canonicalHeaders(headers);
  // The Host header is not signed, so the bucket that it names must stand in the resource. Otherwise the signature
  // would hold for the same path in every other bucket.
  const bucket = hostBucket === undefined ? '' : `/${hostBucket}`;
  const texts: string[] = [];
  for (const path of resourcePaths(target.rawPath)) {
    for (const query of canonicalSubresources(request)) texts.push(`${head}${amz}${bucket}${path}${query}`);
  }
  return texts;
}

/**
 * Returns the paths that may have been signed. botocore signs a bucket's path with a slash at its end, and sends none.
 */
function resourcePaths(rawPath: string): readonly string[] {
  const paths = canonicalPaths(rawPath);
  return rawPath.includes('/', 1) || rawPath === '/' ? paths : [...paths, ...paths.map((path) => `${path}/`)];
}

/** Writes the x-amz headers as they are signed, with those that a presigned URL has in its query. So all are signed. */
function canonicalHeaders(headers: HeaderList): string {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-amz-')) continue;
    const known = values.get(lower);
    if (known === undefined) values.set(lower, [value.trim()]);
    else known.push(value.trim());
  }
  const names = [...values.keys()].sort();
  return names.map((name) => `${name}:${values.get(name)?.join(',')}\n`).join('');
}

type Spelling = (parameter: QueryParameter) => string;

/**
 * The ways in which clients write a sub-resource: with its value decoded (botocore, MinIO); with the value as sent,
 * unless it is response-* (AWS); and decoded, with the `=` of an empty value kept (botocore).
 */
const SPELLINGS: readonly Spelling[] = [
  (parameter) => spelled(parameter, latin1(parameter.value), ''),
  (parameter) =>
    spelled(parameter, parameter.name.startsWith('response-') ? latin1(parameter.value) : parameter.rawValue, ''),
  (parameter) => spelled(parameter, latin1(parameter.value), parameter.hasEquals ? '=' : ''),
];

function spelled({ name }: QueryParameter, value: string, bare: string): string {
  return value === '' ? `${name}${bare}` : `${name}=${value}`;
}

function canonicalSubresources({ query }: WireRequest): ReadonlySet<string> {
  const signed = query.parameters.filter(({ name }) => SIGNED.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (signed.length === 0) return new Set(['']);
  const readings = new Set<string>();
  for (const spell of SPELLINGS) {
    const pieces = signed.map(spell);
    // A decoded value may contain `&`, and look like further parameters. Such a text would fit two different requests.
    const text = pieces.join('&');
    if (text.split('&').filter((piece) => SIGNED.has(piece.split('=')[0] as string)).length === signed.length) {
      readings.add(`?${text}`);
    }
  }
  return readings;
}

/** Writes the UTF-8 bytes of a text as latin1 characters, because the string to sign is hashed as latin1. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
