import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryParameter } from '../../../wire/query.ts';
import { effectiveHeaders } from '../amz-fields.ts';
import { CLASSIC_SUBRESOURCES } from '../front/requests/query-names.ts';
import { S3_OPERATIONS } from '../operation-table.ts';
import { canonicalPaths } from './canonical-request.ts';

/**
 * Signature Version 2's string to sign (docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html). It leaves the
 * body and most of the query unsigned, so what it does sign is held to the letter here.
 */

/**
 * Whatever selects another operation is signed, also where clients leave it out: a URL that was presigned to upload an
 * object must not set its retention when somebody appends `&retention`. `list-type` only spells the same listing anew.
 */
const SIGNED: ReadonlySet<string> = new Set([
  ...CLASSIC_SUBRESOURCES,
  ...S3_OPERATIONS.flatMap(({ subresource }) => subresource ?? []).filter((name) => name !== 'list-type'),
]);

/** The texts that a client may have signed for this request: SDKs differ in how they write the resource. */
export function stringsToSign(
  request: WireRequest,
  { dateLine, hostBucket }: { readonly dateLine: string; readonly hostBucket: string | undefined },
): string[] {
  const { method, target } = request;
  const headers = effectiveHeaders(request);
  const head = `${method}\n${headers.get('content-md5') ?? ''}\n${headers.get('content-type') ?? ''}\n${dateLine}\n`;
  const amz = canonicalHeaders(headers);
  // The Host is not signed: a virtual host's bucket stands in the resource, or the path alone would name another one.
  const bucket = hostBucket === undefined ? '' : `/${hostBucket}`;
  const texts: string[] = [];
  for (const path of resourcePaths(target.rawPath)) {
    for (const query of canonicalSubresources(request)) texts.push(`${head}${amz}${bucket}${path}${query}`);
  }
  return texts;
}

/** botocore ends a bucket's path with a slash when it signs, not when it sends; both name the bucket. */
function resourcePaths(rawPath: string): readonly string[] {
  const paths = canonicalPaths(rawPath);
  return rawPath.includes('/', 1) || rawPath === '/' ? paths : [...paths, ...paths.map((path) => `${path}/`)];
}

/** Those that a presigned URL carries in its query are among them: no x-amz field takes effect unsigned. */
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

/** Values decoded (botocore, MinIO); as sent, but for response-* (AWS); an `=` without a value kept (botocore) or not. */
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
    // A decoded value may read like several parameters; then the text would stand for two different requests.
    const text = pieces.join('&');
    if (text.split('&').filter((piece) => SIGNED.has(piece.split('=')[0] as string)).length === signed.length) {
      readings.add(`?${text}`);
    }
  }
  return readings;
}

/** The text is hashed byte by byte: decoded characters must stand in it as their UTF-8 bytes. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
