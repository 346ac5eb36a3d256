import { createHash } from 'node:crypto';
import { type XmlElement, xmlText } from '../../../src/wire/xml/xml.ts';
import type { Answer, ConformanceWay } from './way.ts';

export type EtagMode = 'opaque' | 'md5';

/** What an answer said: `answer` (status and code), `header NAME`, `body …` with its value, without what must differ. */
export type Told = ReadonlyMap<string, string>;

/** A field that the two ways tell differently; undefined where one does not have it. */
export interface Deviation {
  /** `scenario/step`. */
  readonly at: string;
  readonly field: string;
  readonly direct: string | undefined;
  readonly through: string | undefined;
}

/** Each connection's or server's own: no client acts on them. */
const OWN_HEADERS =
  /^(?:connection|date|keep-alive|server|strict-transport-security|transfer-encoding|vary|x-amz-id-2|x-amz-request-id|x-content-type-options|x-minio-.*|x-ratelimit-.*|x-xss-protection)$/;
const SHORTEST_ID = 16;
const ETAG = /"?\b[0-9a-f]{32}(?:-\d+)?\b"?/g;
const VERSION_ID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b01[0-9A-HJKMNP-TV-Z]{24}\b/g;
const DATE = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g;

/** @param etags told by their value, or only that there is one: the gateway's own are no MD5s unless a policy says so */
export function told(answer: Answer, way: ConformanceWay, etags: EtagMode = 'opaque'): Told {
  const code = answer.document?.name === 'Error' ? ` ${xmlText(answer.document, 'Code')}` : '';
  const said = new Map<string, string>([['answer', `${answer.status}${code}`]]);
  const plain = plainText(way, etags);
  const document = answer.isObject ? undefined : answer.document;
  for (const [name, value] of Object.entries(answer.headers)) {
    if (OWN_HEADERS.test(name)) continue;
    // The length of a document is that of its spelling; of no document type and length mean nothing.
    if (name === 'content-length' && document !== undefined) continue;
    if (/^content-(?:length|type)$/.test(name) && answer.body.length === 0 && !answer.isObject) continue;
    // Some servers send it with everything, whether or not there is something to take a range of.
    if (name === 'accept-ranges' && !(answer.isObject && answer.status < 300)) continue;
    said.set(`header ${name}`, plain(value));
  }
  // Of an error a program reads the code; the rest is for people, or names the request.
  if (document?.name === 'Error') return said;
  if (document !== undefined) tellElement(said, document, `body ${document.name}`, plain);
  else if (answer.body.length > 0) said.set('body', bodyText(answer.body));
  return said;
}

function bodyText(body: Buffer): string {
  const text = body.toString('latin1');
  if (body.length <= 64 && /^[ -~]*$/.test(text)) return text;
  return `${body.length} bytes, sha256 ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`;
}

/** An element without text says as little as none. Siblings of one name are counted from the second on. */
function tellElement(
  said: Map<string, string>,
  element: XmlElement,
  path: string,
  plain: (text: string) => string,
): void {
  if (element.children.length === 0) {
    if (element.text !== '') said.set(path, plain(element.text));
    return;
  }
  const seen = new Map<string, number>();
  for (const child of element.children) {
    const count = (seen.get(child.name) ?? 0) + 1;
    seen.set(child.name, count);
    tellElement(said, child, `${path}.${child.name}${count > 1 ? `[${count}]` : ''}`, plain);
  }
}

/** What differs by way, id, moment or cipher, replaced by what it stands for. */
function plainText(way: ConformanceWay, etags: EtagMode): (text: string) => string {
  // ETags and dates are told apart below, and short ones are no ids: some servers continue a listing after a plain key.
  const kept = [...way.kept].filter(([name, value]) => !/etag|modified/i.test(name) && value.length >= SHORTEST_ID);
  return (text) => {
    let plain = text.replaceAll(way.endpoint, '{endpoint}').replaceAll(way.prefix, '');
    for (const [name, value] of kept) plain = plain.replaceAll(value, `{${name}}`);
    const etag = (found: string) => (etags === 'md5' ? `{${found.replaceAll('"', '')}}` : '{etag}');
    return plain.replace(VERSION_ID, '{version}').replace(ETAG, etag).replace(DATE, '{date}');
  };
}

/** Where the answers differ in their status, all else differs with it. */
export function deviations(at: string, direct: Told, through: Told): Deviation[] {
  const status = (said: Told) => said.get('answer')?.slice(0, 3);
  const fields =
    status(direct) === status(through) ? new Set([...direct.keys(), ...through.keys()]) : new Set(['answer']);
  return [...fields]
    .filter((field) => direct.get(field) !== through.get(field))
    .map((field) => ({ at, field, direct: direct.get(field), through: through.get(field) }));
}
