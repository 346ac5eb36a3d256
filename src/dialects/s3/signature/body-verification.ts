import { timingSafeEqual } from 'node:crypto';
import { type RunningDigest, startDigest } from '../../../checksums/digest.ts';
import { clientError, type GatewayError } from '../../../errors.ts';
import type { ChecksumAlgorithm } from '../../../operations/object.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { ByteSource, WireRequest } from '../../../wire/message.ts';
import type { BodyProof, VerifiedBody } from '../../front-dialect.ts';
import { bodyHeaders } from '../amz-fields.ts';
import { CHECKSUMS } from '../checksum.ts';
import { type BodyClaims, checksumValue, readBodyClaims } from './body-claims.ts';
import { EMPTY_SHA256 } from './canonical-request.ts';
import type { ChunkSignatures } from './chunk-signatures.ts';
import { ChunkedBodyReader } from './chunked-body.ts';
import type { Payload } from './payload.ts';

/**
 * Returns the body of a request, which is verified against the length, digests and chunk signatures that the request
 * gives for it.
 * @param signatures verifies signed chunks; undefined for all other bodies
 * @throws GatewayError MissingContentLength, InvalidArgument, InvalidDigest, InvalidRequest
 */
export function verifyBody(
  request: WireRequest,
  payload: Payload,
  signatures: ChunkSignatures | undefined,
): VerifiedBody {
  const headers = bodyHeaders(request);
  const contentBytes = lengthOf(headers, 'content-length');
  const empty = contentBytes === 0 || (contentBytes === undefined && !headers.has('transfer-encoding'));
  if (empty && isRead(request.method) && payload.kind !== 'chunked') return emptyBody(payload);
  const claims = isComplete(request)
    ? readBodyClaims(headers, payload, { checksums: false })
    : readBodyClaims(headers, payload);
  if (payload.kind === 'chunked') {
    const decodedBytes = lengthOf(headers, 'x-amz-decoded-content-length');
    if (decodedBytes === undefined) {
      throw clientError('MissingContentLength', 'You must provide the x-amz-decoded-content-length HTTP header.');
    }
    const reader = new ChunkedBodyReader({ decodedBytes, signatures, trailer: payload.trailer });
    return new CheckedBody({ source: request.body, plaintextBytes: decodedBytes, claims, reader });
  }
  return new CheckedBody({
    source: empty ? NO_BYTES : request.body,
    plaintextBytes: empty ? 0 : contentBytes,
    claims,
    reader: undefined,
  });
}

/**
 * Returns a body of unknown length, which is verified against digests.
 * @param source throws where the bytes are incomplete
 * @param mostBytes an upper bound of the length, where one is known
 */
export function verifySource(source: ByteSource, claims: BodyClaims, mostBytes: number | undefined): VerifiedBody {
  return new CheckedBody({ source, plaintextBytes: undefined, mostBytes, claims, reader: undefined });
}

/** Whether this is a CompleteMultipartUpload. Its x-amz-checksum headers are about the object, not about this body. */
function isComplete({ method, target, query }: WireRequest): boolean {
  return method === 'POST' && target.rawQuery !== '' && query.has('uploadId');
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE';
}

const NO_BYTES: ByteSource = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

const NO_PROOF: BodyProof = { checksum: undefined, md5: undefined };

const EMPTY_BODY: VerifiedBody = { plaintextBytes: 0, bytes: () => NO_BYTES, proof: () => NO_PROOF };

/** The body of a read without one. Most requests are such reads, so nothing is read or hashed for them. */
function emptyBody(payload: Payload): VerifiedBody {
  if (payload.kind === 'hashed' && payload.sha256 !== EMPTY_SHA256) throw sha256Mismatch();
  return EMPTY_BODY;
}

/** Reads a header that has a number of bytes. @throws GatewayError InvalidArgument */
export function lengthOf(headers: HeaderList, name: string): number | undefined {
  const values = headers.getAll(name);
  if (values.length === 0) return undefined;
  // A number of 15 digits is exact in JavaScript.
  if (values.length > 1 || !/^\d{1,15}$/.test(values[0] as string)) {
    throw clientError('InvalidArgument', `The value of ${name} is invalid.`);
  }
  return Number(values[0]);
}

/** A body that is verified as it is read. With a reader its aws-chunked framing is taken off. */
class CheckedBody implements VerifiedBody {
  readonly plaintextBytes: number | undefined;
  readonly mostBytes: number | undefined;
  readonly provesMd5: boolean;
  readonly checksumAlgorithm: ChecksumAlgorithm | undefined;
  readonly #source: ByteSource;
  readonly #claims: BodyClaims;
  readonly #reader: ChunkedBodyReader | undefined;
  #proof: BodyProof | undefined;

  constructor(body: {
    readonly source: ByteSource;
    readonly plaintextBytes: number | undefined;
    readonly mostBytes?: number | undefined;
    readonly claims: BodyClaims;
    readonly reader: ChunkedBodyReader | undefined;
  }) {
    this.plaintextBytes = body.plaintextBytes;
    this.mostBytes = body.mostBytes;
    this.provesMd5 = body.claims.contentMd5 !== undefined || body.claims.checksum?.algorithm === 'MD5';
    this.checksumAlgorithm = body.claims.checksum?.algorithm;
    this.#source = body.source;
    this.#claims = body.claims;
    this.#reader = body.reader;
  }

  bytes(): ByteSource {
    if (this.#reader !== undefined) return this.#chunkedBytes(this.#reader);
    return new PlainBytes(this.#source, this.#claims, this.plaintextBytes, (proof) => {
      this.#proof = proof;
    });
  }

  proof(): BodyProof {
    if (this.#proof === undefined) throw new Error('The body has not been read to its end.');
    return this.#proof;
  }

  async *#chunkedBytes(reader: ChunkedBodyReader): AsyncGenerator<Buffer, void, void> {
    const digests = await startDigests(this.#claims);
    for await (const piece of this.#source) {
      for (const data of reader.push(piece)) {
        for (const { digest } of digests) digest.update(data);
        yield data;
      }
    }
    this.#proof = checkDigests(this.#claims, digests, trailerChecksum(this.#claims, reader.finish()));
  }
}

/**
 * The bytes of a body that is not aws-chunked. This is an iterator and not a generator, because a generator costs
 * several turns of the microtask queue for each piece, and every upload passes here a dozen times per MiB.
 */
class PlainBytes implements AsyncIterableIterator<Buffer, undefined, undefined> {
  readonly #source: AsyncIterator<Buffer>;
  readonly #claims: BodyClaims;
  readonly #expectedBytes: number | undefined;
  readonly #onProof: (proof: BodyProof) => void;
  #digests: readonly StartedDigest[] | undefined;
  #bytes = 0;

  constructor(
    source: ByteSource,
    claims: BodyClaims,
    expectedBytes: number | undefined,
    onProof: (proof: BodyProof) => void,
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#claims = claims;
    this.#expectedBytes = expectedBytes;
    this.#onProof = onProof;
    if (!claimsAnything(claims)) this.#digests = [];
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#digests === undefined) return this.#begin();
    return this.#source.next().then(this.#took);
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  async #begin(): Promise<IteratorResult<Buffer, undefined>> {
    this.#digests = await startDigests(this.#claims);
    return this.next();
  }

  readonly #took = (result: IteratorResult<Buffer>): IteratorResult<Buffer, undefined> => {
    const expectedBytes = this.#expectedBytes;
    const digests = this.#digests ?? [];
    if (result.done === true) {
      if (expectedBytes !== undefined && this.#bytes !== expectedBytes) throw wrongLength();
      this.#onProof(checkDigests(this.#claims, digests, undefined));
      return { done: true, value: undefined };
    }
    this.#bytes += result.value.length;
    if (expectedBytes !== undefined && this.#bytes > expectedBytes) {
      void this.#source.return?.();
      throw wrongLength();
    }
    for (const { digest } of digests) digest.update(result.value);
    return result;
  };
}

function claimsAnything({ payloadSha256, contentMd5, checksum }: BodyClaims): boolean {
  return payloadSha256 !== undefined || contentMd5 !== undefined || checksum !== undefined;
}

interface StartedDigest {
  readonly algorithm: ChecksumAlgorithm;
  readonly digest: RunningDigest;
}

/**
 * Starts one digest for each algorithm, although two claims may need it: boto3 sends SHA-256 as hash and as checksum.
 */
async function startDigests(claims: BodyClaims): Promise<StartedDigest[]> {
  const algorithms = new Set<ChecksumAlgorithm>();
  if (claims.payloadSha256 !== undefined) algorithms.add('SHA256');
  if (claims.contentMd5 !== undefined) algorithms.add('MD5');
  if (claims.checksum !== undefined) algorithms.add(claims.checksum.algorithm);
  const started: StartedDigest[] = [];
  for (const algorithm of algorithms) started.push({ algorithm, digest: await startDigest(algorithm) });
  return started;
}

/** Returns the checksum of the trailer. The trailer must have the field that x-amz-trailer names, and no other. */
function trailerChecksum({ checksum }: BodyClaims, trailer: ReadonlyMap<string, string>): Buffer | undefined {
  const named = checksum !== undefined && checksum.value === undefined ? checksum.algorithm : undefined;
  const text = named === undefined ? undefined : trailer.get(CHECKSUMS[named].header);
  if (trailer.size !== (text === undefined ? 0 : 1) || (named !== undefined && text === undefined)) {
    throw clientError('InvalidRequest', 'The trailer of the request body is not the one that x-amz-trailer names.');
  }
  return named === undefined || text === undefined ? undefined : checksumValue(named, text);
}

/** Compares the digests of the bytes with the claims. @throws GatewayError where one differs */
function checkDigests(
  claims: BodyClaims,
  started: readonly StartedDigest[],
  trailerValue: Buffer | undefined,
): BodyProof {
  if (started.length === 0) return NO_PROOF;
  const values = new Map(started.map(({ algorithm, digest }) => [algorithm, digest.digest()]));
  const expect = (algorithm: ChecksumAlgorithm, expected: Buffer, refuse: () => GatewayError): Buffer => {
    const actual = values.get(algorithm) as Buffer;
    if (!timingSafeEqual(actual, expected)) throw refuse();
    return actual;
  };
  const { payloadSha256, contentMd5, checksum } = claims;
  if (payloadSha256 !== undefined) expect('SHA256', payloadSha256, sha256Mismatch);
  if (contentMd5 !== undefined) expect('MD5', contentMd5, badDigest);
  const md5 = values.get('MD5');
  const expected = checksum?.value ?? trailerValue;
  if (checksum === undefined || expected === undefined) return { checksum: undefined, md5 };
  const value = expect(checksum.algorithm, expected, () => checksumMismatch(checksum.algorithm));
  return { checksum: { algorithm: checksum.algorithm, value }, md5 };
}

function sha256Mismatch(): GatewayError {
  return clientError(
    'XAmzContentSHA256Mismatch',
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
  );
}

function badDigest(): GatewayError {
  return clientError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
}

function checksumMismatch(algorithm: string): GatewayError {
  return clientError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
}

function wrongLength(): GatewayError {
  return clientError(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  );
}
