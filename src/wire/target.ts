import { clientError } from '../errors.ts';

/** The target of a request. Path and query are as they were sent, because that is what clients sign. */
export interface RequestTarget {
  /** The whole target. */
  readonly raw: string;
  /** The path up to the first `?`. It always begins with `/`. */
  readonly rawPath: string;
  /** What follows the first `?`; '' where there is none. */
  readonly rawQuery: string;
}

/**
 * Reads a target in origin form (`/bucket/key?query`) or in absolute form (`http://host/bucket/key?query`), which
 * clients send when they take the gateway for a proxy (RFC 9112 §3.2.2). In absolute form HTTP takes the host from the
 * target. But clients sign the Host header, and it may name the bucket, so the two must agree.
 * @param host the value of the Host header
 * @throws GatewayError InvalidURI for any other form (also `OPTIONS *`), and where target and Host header disagree
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
