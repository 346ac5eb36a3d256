import { clientError } from '../../../errors.ts';
import type { ChecksumAlgorithm } from '../../../operations/object.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import { CHECKSUM_ALGORITHMS, CHECKSUMS } from '../checksum.ts';
import type { Payload } from './payload.ts';

/** The digests that a request's headers give for its body. They are not verified yet. */
export interface BodyClaims {
  /** The signed hash of the body (x-amz-content-sha256). */
  readonly payloadSha256: Buffer | undefined;
  readonly contentMd5: Buffer | undefined;
  readonly checksum: ChecksumClaim | undefined;
}

/** The checksum that a request has for its body. */
export interface ChecksumClaim {
  readonly algorithm: ChecksumAlgorithm;
  /** undefined where the value follows in the trailer of the body. */
  readonly value: Buffer | undefined;
}

/**
 * Reads the digests that headers give for the body. A checksum counts in a real header only, and not in the query of a
 * presigned URL, because the signer had no body when it computed it.
 * @param headers the result of `bodyHeaders`
 * @param options `checksums` is false where x-amz-checksum headers are not about the body
 * @throws GatewayError InvalidDigest, InvalidRequest
 */
export function readBodyClaims(
  headers: HeaderList,
  payload: Payload,
  { checksums = true }: { readonly checksums?: boolean } = {},
): BodyClaims {
  const checksum = checksums ? readChecksumClaim(headers, payload) : undefined;
  if (checksums) checkSdkAlgorithm(headers, checksum);
  return {
    payloadSha256: payload.kind === 'hashed' ? Buffer.from(payload.sha256, 'hex') : undefined,
    contentMd5: readContentMd5(headers),
    checksum,
  };
}

function readContentMd5(headers: HeaderList): Buffer | undefined {
  const values = headers.getAll('content-md5');
  if (values.length === 0) return undefined;
  const md5 = values.length === 1 ? strictBase64(values[0] as string, 16) : undefined;
  if (md5 === undefined) throw clientError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
  return md5;
}

function readChecksumClaim(headers: HeaderList, payload: Payload): ChecksumClaim | undefined {
  const claims: ChecksumClaim[] = [];
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    for (const text of headers.getAll(CHECKSUMS[algorithm].header)) {
      claims.push({ algorithm, value: checksumValue(algorithm, text) });
    }
  }
  for (const names of headers.getAll('x-amz-trailer')) {
    for (const name of names.split(',')) claims.push(trailerClaim(name.trim().toLowerCase(), payload));
  }
  if (claims.length > 1) {
    throw clientError(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header or trailer. Multiple checksums are not allowed.',
    );
  }
  return claims[0];
}

function trailerClaim(name: string, payload: Payload): ChecksumClaim {
  if (payload.kind !== 'chunked' || !payload.trailer) {
    throw clientError('InvalidRequest', 'x-amz-trailer needs x-amz-content-sha256 to be a STREAMING-…-TRAILER word.');
  }
  const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => CHECKSUMS[candidate].header === name);
  if (algorithm === undefined) {
    throw clientError('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported.');
  }
  return { algorithm, value: undefined };
}

/** Reads the value of a checksum from base64. @throws GatewayError InvalidRequest */
export function checksumValue(algorithm: ChecksumAlgorithm, text: string): Buffer {
  const { header, bytes } = CHECKSUMS[algorithm];
  const value = strictBase64(text, bytes);
  if (value === undefined) throw clientError('InvalidRequest', `Value for ${header} header is invalid.`);
  return value;
}

/**
 * Checks that the algorithm which an SDK announces is that of the checksum. Otherwise one of them was changed on the
 * way.
 */
function checkSdkAlgorithm(headers: HeaderList, checksum: ChecksumClaim | undefined): void {
  for (const announced of headers.getAll('x-amz-sdk-checksum-algorithm')) {
    if (checksum === undefined) {
      throw clientError(
        'InvalidRequest',
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers ' +
          'were found.',
      );
    }
    if (announced.toUpperCase() !== checksum.algorithm) {
      throw clientError('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
    }
  }
}

/** Decodes base64 of exactly `bytes` bytes. Other spellings of the same bytes are refused (undefined). */
function strictBase64(text: string, bytes: number): Buffer | undefined {
  const value = Buffer.from(text, 'base64');
  return value.length === bytes && value.toString('base64') === text ? value : undefined;
}
