import { clientError } from '../../../errors.ts';
import type { WireRequest } from '../../../wire/message.ts';
import { EMPTY_SHA256, UNSIGNED_PAYLOAD } from './canonical-request.ts';

/** How the signature of a request covers its body, by x-amz-content-sha256. */
export type Payload =
  /** The signature covers this SHA-256 of the body, in hex and lower case. */
  | { readonly kind: 'hashed'; readonly sha256: string }
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'chunked'; readonly signed: boolean; readonly trailer: boolean };

/** A way in which a client may have signed the body. `word` is what then stands in the canonical request. */
export interface PayloadCandidate {
  readonly word: string;
  readonly payload: Payload;
}

const WORDS: ReadonlyMap<string, Payload> = new Map<string, Payload>([
  [UNSIGNED_PAYLOAD, { kind: 'unsigned' }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { kind: 'chunked', signed: true, trailer: false }],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { kind: 'chunked', signed: true, trailer: true }],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { kind: 'chunked', signed: false, trailer: true }],
]);

const SHA256_HEX = /^[0-9a-f]{64}$/i;

const EMPTY: PayloadCandidate = { word: EMPTY_SHA256, payload: { kind: 'hashed', sha256: EMPTY_SHA256 } };
const UNSIGNED: PayloadCandidate = { word: UNSIGNED_PAYLOAD, payload: { kind: 'unsigned' } };
/**
 * The ways to understand a presigned URL without x-amz-content-sha256. S3 takes its body as unsigned.
 * `@smithy/signature-v4` on its own signs the hash of an empty body; such a signature allows only an empty body.
 */
const UNDECLARED: readonly PayloadCandidate[] = [UNSIGNED, EMPTY];

/**
 * Reads how the signature of a request covers its body: the ways in which the client may have signed it.
 * @param form where the signature stands
 * @throws GatewayError InvalidRequest (x-amz-content-sha256 is missing), InvalidArgument, NotImplemented
 */
export function payloadCandidates(request: WireRequest, form: 'header' | 'query'): readonly PayloadCandidate[] {
  const declared = request.headers.getAll('x-amz-content-sha256');
  if (form === 'query') {
    for (const { name, value } of request.query.parameters) {
      if (name.toLowerCase() === 'x-amz-content-sha256') declared.push(value);
    }
  }
  const [word] = declared;
  if (word === undefined) {
    if (form === 'query') return UNDECLARED;
    throw clientError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  }
  if (declared.some((other) => other !== word)) {
    throw clientError('InvalidArgument', 'x-amz-content-sha256 is there twice, with different values.');
  }
  if (word === UNSIGNED_PAYLOAD) return [UNSIGNED];
  if (word === EMPTY_SHA256) return [EMPTY];
  return [{ word, payload: readPayload(word, form) }];
}

/**
 * Reads x-amz-content-sha256 of a request whose body is not covered by a signature, because it is unsigned or signed by
 * Version 2. The body must have the hash that the header gives, all the same.
 * @throws GatewayError InvalidRequest (signed chunks), InvalidArgument, NotImplemented
 */
export function unsignedPayload(request: WireRequest): Payload {
  const [word, ...more] = request.headers.getAll('x-amz-content-sha256');
  if (word === undefined) return UNSIGNED.payload;
  if (more.some((other) => other !== word)) {
    throw clientError('InvalidArgument', 'x-amz-content-sha256 is there twice, with different values.');
  }
  const payload = readPayload(word, 'header');
  if (payload.kind !== 'chunked' || !payload.signed) return payload;
  throw clientError('InvalidRequest', 'Signed chunks need a request that is signed with AWS4-HMAC-SHA256.');
}

function readPayload(word: string, form: 'header' | 'query'): Payload {
  if (SHA256_HEX.test(word)) return { kind: 'hashed', sha256: word.toLowerCase() };
  const payload = WORDS.get(word);
  if (payload === undefined) {
    if (word.startsWith('STREAMING-AWS4-ECDSA-')) {
      throw clientError('NotImplemented', 'Signatures of the kind AWS4-ECDSA-P256-SHA256 are not available.');
    }
    throw clientError(
      'InvalidArgument',
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, one of the STREAMING words, or a valid sha256 value.',
    );
  }
  if (form === 'query' && payload.kind === 'chunked' && payload.signed) {
    throw clientError('NotImplemented', 'Signed chunks under a presigned URL are not available.');
  }
  return payload;
}
