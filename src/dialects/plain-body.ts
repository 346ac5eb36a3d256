import { createHash, type Hash } from 'node:crypto';
import { clientError } from '../errors.ts';
import type { ByteSource, WireRequest } from '../wire/message.ts';
import type { BodyProof, VerifiedBody } from './front-dialect.ts';

const MD5_BASE64 = /^[A-Za-z0-9+/]{22}==$/;

/**
 * Returns the body of a request whose signature has no hash of it, as with every vendor but S3. So only length and
 * Content-MD5 are verified.
 */
export function plainBody(request: WireRequest): VerifiedBody {
  const declared = request.headers.get('content-length');
  const plaintextBytes = declared === undefined ? lengthWithoutHeader(request) : Number(declared);
  return plainSource(request.body, { plaintextBytes, contentMd5: request.headers.get('content-md5') });
}

/**
 * Returns bytes from anywhere as a body, which is verified likewise.
 * @param known `plaintextBytes` is the exact length, and `mostBytes` an upper bound; undefined where it is not known
 * @throws GatewayError InvalidDigest
 */
export function plainSource(
  source: ByteSource,
  known: {
    readonly plaintextBytes?: number | undefined;
    readonly mostBytes?: number | undefined;
    readonly contentMd5: string | undefined;
  },
): VerifiedBody {
  const { plaintextBytes, mostBytes } = known;
  const expected = expectedMd5(known.contentMd5);
  let proof: BodyProof | undefined;
  return {
    plaintextBytes,
    mostBytes,
    bytes: () =>
      verified(source, { plaintextBytes, expected, hash: expected && createHash('md5') }, (result) => {
        proof = result;
      }),
    proof() {
      if (proof === undefined) throw new Error('The body has not been read to its end.');
      return proof;
    },
  };
}

/** A request with neither Content-Length nor Transfer-Encoding has no body (RFC 9112 §6.3). */
function lengthWithoutHeader(request: WireRequest): number | undefined {
  return request.headers.has('transfer-encoding') ? undefined : 0;
}

function expectedMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined || text === '') return undefined;
  if (!MD5_BASE64.test(text)) throw clientError('InvalidDigest', 'Content-MD5 must be 16 bytes in base64.');
  return Buffer.from(text, 'base64');
}

async function* verified(
  source: ByteSource,
  checks: {
    readonly plaintextBytes: number | undefined;
    readonly expected: Buffer | undefined;
    readonly hash: Hash | undefined;
  },
  onProof: (proof: BodyProof) => void,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    checks.hash?.update(chunk);
    yield chunk;
  }
  if (checks.plaintextBytes !== undefined && bytes !== checks.plaintextBytes) {
    throw clientError('IncompleteBody', 'The body is not as long as its Content-Length says.');
  }
  const md5 = checks.hash?.digest();
  if (md5 !== undefined && checks.expected?.equals(md5) !== true) {
    throw clientError('BadDigest', 'The body’s MD5 is not the one that Content-MD5 gives.');
  }
  onProof({ checksum: undefined, md5 });
}
