import type { IncomingMessage } from 'node:http';
import { clientError, type GatewayError } from '../errors.ts';

/**
 * The most header fields that a request may have, whatever their size. To look through thousands costs more than the
 * request may be worth, before anything is known of the caller. S3 takes heads of 8 KB, which hold fewer fields even
 * with one `x-amz-meta-` name each.
 */
const MAX_FIELDS = 500;

/**
 * Refuses requests that llhttp lets through and that a proxy must not take. If a load balancer in front or the backend
 * behind reads such a request differently, it sees other borders between requests, and bytes of one client become
 * another's request (RFC 9112 §11.2). llhttp itself refuses two lengths, length and chunked together, obs-fold, bare LF
 * and CR, blanks before a colon, and any last coding but chunked; test/server/smuggling.test.ts checks that it does.
 * @returns undefined if the request passes
 */
export function refusedFraming(rawHeaders: readonly string[], httpVersion: string): GatewayError | undefined {
  if (rawHeaders.length > 2 * MAX_FIELDS) {
    return clientError('RequestHeaderSectionTooLarge', `The request has more than ${MAX_FIELDS} header fields.`);
  }
  let lengths = 0;
  let codings = 0;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    // The length is compared first: to lower-case forty names a request would be most of this function's cost.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') hosts++;
        break;
      case 14:
        if (name.toLowerCase() === 'content-length') lengths++;
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          codings++;
          if ((rawHeaders[at + 1] as string).toLowerCase() !== 'chunked') {
            return refuse('The only transfer coding is chunked.');
          }
        }
        break;
    }
  }
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return refuse('The request needs one Host field.');
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) {
    return refuse('The request declares the length of its body more than once.');
  }
  // A proxy that speaks HTTP/1.0 does not know chunked and would see a body without an end (RFC 9112 §6.1).
  if (codings > 0 && httpVersion !== '1.1') return refuse('Chunked transfer coding needs HTTP/1.1.');
  return undefined;
}

/**
 * Whether the request offers to go on in another protocol (`Upgrade: h2c`). Some clients make that offer with every
 * request and accept that it is ignored, as the gateway does (RFC 9110 §7.8).
 */
export function offersUpgrade({ headers }: IncomingMessage): boolean {
  return headers.upgrade !== undefined && /upgrade/i.test(headers.connection ?? '');
}

function refuse(message: string): GatewayError {
  return clientError('InvalidRequest', message);
}
