import { clientError } from '../errors.ts';

/** The target of a request; path and query are untouched, for what was signed is what was sent. */
export interface RequestTarget {
  /** As it came. */
  readonly raw: string;
  /** Up to the first `?`. Always begins with `/`. */
  readonly rawPath: string;
  /** After the first `?`, without it; '' if there is none. */
  readonly rawQuery: string;
}

/**
 * Reads origin form (`/bucket/key?query`), and absolute form (`http://host/bucket/key?query`), which clients send when
 * they believe to speak to a proxy (RFC 9112 §3.2.2). There the target has the last word on the host, but the Host field
 * is what is signed and what names the bucket: so the two must agree.
 * @param host the Host field
 * @throws GatewayError InvalidURI for any other form, `OPTIONS *` included, and for another host than the Host field's
 */
export function parseTarget(raw: string, host: string | undefined): RequestTarget {
  const origin = raw.startsWith('/') ? raw : originForm(raw, host);
  const mark = origin.indexOf('?');
  return mark === -1
    ? { raw, rawPath: origin, rawQuery: '' }
    : { raw, rawPath: origin.slice(0, mark), rawQuery: origin.slice(mark + 1) };
}

const ABSOLUTE = /^(https?):\/\/([^/?#@]+)(.*)$/is;
const DEFAULT_PORTS = { http: ':80', https: ':443' } as const;

function originForm(raw: string, host: string | undefined): string {
  const [, scheme, authority, rest] = ABSOLUTE.exec(raw) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) {
    throw clientError('InvalidURI', 'The request target must begin with a slash.');
  }
  const port = DEFAULT_PORTS[scheme.toLowerCase() as keyof typeof DEFAULT_PORTS];
  if (host === undefined || withoutPort(authority, port) !== withoutPort(host, port)) {
    throw clientError('InvalidURI', 'The request target names another host than the Host field.');
  }
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function withoutPort(authority: string, port: string): string {
  const lower = authority.toLowerCase();
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}
