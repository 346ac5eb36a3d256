import { hash } from 'node:crypto';
import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import { EMPTY_SHA256, signature } from './canonical-request.ts';
import { type SigningKey, type SigningScope, scopeText } from './signing-key.ts';

/**
 * Verifies the chunk signatures of a STREAMING-AWS4-HMAC-SHA256-PAYLOAD body
 * (docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming). They form a chain: each covers the one before it, and the
 * first covers that of the request.
 */
export class ChunkSignatures {
  readonly #key: SigningKey;
  readonly #context: string;
  #previous: string;

  constructor(chain: {
    readonly key: SigningKey;
    /** The time of the request's signature, in the form yyyymmddThhmmssZ. */
    readonly time: string;
    readonly scope: SigningScope;
    /** The signature of the request, in hex. */
    readonly seed: string;
  }) {
    this.#key = chain.key;
    this.#context = `${chain.time}\n${scopeText(chain.scope)}\n`;
    this.#previous = chain.seed;
  }

  /**
   * Verifies the signature of the next chunk.
   * @param claimed the signature that came with the chunk, in hex
   * @param dataSha256 the SHA-256 of the chunk's bytes, in hex
   * @throws GatewayError SignatureDoesNotMatch
   */
  verifyChunk(claimed: string, dataSha256: string): void {
    this.#verify(
      claimed,
      `AWS4-HMAC-SHA256-PAYLOAD\n${this.#context}${this.#previous}\n${EMPTY_SHA256}\n${dataSha256}`,
    );
  }

  /**
   * Verifies the signature of the trailer.
   * @param claimed the signature that came with the trailer, in hex
   * @param lines the fields of the trailer, each as `name:value\n`
   * @throws GatewayError SignatureDoesNotMatch
   */
  verifyTrailer(claimed: string, lines: string): void {
    const linesSha256 = hash('sha256', Buffer.from(lines, 'latin1'), 'hex');
    this.#verify(claimed, `AWS4-HMAC-SHA256-TRAILER\n${this.#context}${this.#previous}\n${linesSha256}`);
  }

  #verify(claimed: string, stringToSign: string): void {
    const expected = signature(this.#key, stringToSign);
    if (!equalInConstantTime(expected, claimed)) {
      throw clientError('SignatureDoesNotMatch', 'The signature of a chunk of the request body does not match.');
    }
    this.#previous = expected;
  }
}
