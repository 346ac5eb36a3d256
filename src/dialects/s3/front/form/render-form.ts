import type { FormStored } from '../../../../operations/answer.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireRequest, WireResponse } from '../../../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../../../wire/percent.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { addStored } from '../answers/render-object.ts';

/**
 * Renders the answer to a form upload as the form asked: a redirect to another page, a bare status, or 201 with a
 * document.
 */
export function renderForm(
  { stored, reply }: FormStored,
  headers: HeaderList,
  request: WireRequest | undefined,
): WireResponse {
  const { bucket, key } = stored.ref;
  addStored(stored, headers);
  if (reply.redirect !== undefined) {
    headers.append('Location', redirectTarget(reply.redirect, { bucket, key, etag: `"${stored.etag}"` }));
    return { status: 303, headers: headers.append('Content-Length', '0'), body: undefined };
  }
  const location = locationOf(key, request);
  headers.append('Location', location);
  if (reply.status === 204) return { status: 204, headers, body: undefined };
  const document =
    reply.status === 200
      ? ''
      : `${XML_DECLARATION}<PostResponse>${xmlElement('Location', location)}${xmlElement('Bucket', bucket)}` +
        `${xmlElement('Key', key)}${xmlElement('ETag', `"${stored.etag}"`)}</PostResponse>`;
  const body = Buffer.from(document, 'utf8');
  if (body.length > 0) headers.append('Content-Type', 'application/xml');
  return { status: reply.status, headers: headers.append('Content-Length', String(body.length)), body };
}

/** The page to go to, with bucket, key and ETag of the new object added to its query. */
function redirectTarget(redirect: URL, stored: Readonly<Record<string, string>>): string {
  const target = new URL(redirect);
  const told = Object.entries(stored).map(([name, value]) => `${name}=${percentEncode(value)}`);
  target.search = [...(target.search === '' ? [] : [target.search.slice(1)]), ...told].join('&');
  return target.href;
}

/** The URL of the new object: its key, appended to the URL that the form was sent to. */
function locationOf(key: string, request: WireRequest | undefined): string {
  const base = request?.target.rawPath.replace(/\/$/, '') ?? '';
  const host = request?.headers.get('host');
  const origin = host === undefined ? '' : `${request?.client.secure ? 'https' : 'http'}://${host}`;
  return `${origin}${base}/${percentEncodePath(key)}`;
}
