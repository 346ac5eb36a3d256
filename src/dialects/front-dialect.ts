import type { GatewayError } from '../errors.ts';
import type { Answer } from '../operations/answer.ts';
import type { Checksum, ChecksumAlgorithm, DialectName, Resource } from '../operations/object.ts';
import type { Operation } from '../operations/operation.ts';
import type { ByteSource, WireRequest, WireResponse } from '../wire/message.ts';
import type { SigningSecret } from './signing-secret.ts';

/** What a front needs to know of its own address. */
export interface FrontSettings {
  /** The region that signatures must name, and that HeadBucket answers. */
  readonly region: string;
  /** Signatures may name any region. A secret is one for all of them, so that this opens nothing to nobody. */
  readonly anyRegion?: boolean | undefined;
  /** Domains under which `<bucket>.<domain>` is a virtual-host request. Lower case, without port. */
  readonly domains: readonly string[];
}

/** A request as a dialect understood it. */
export type ParsedRequest =
  /** Everything is in the head. The body is an object's bytes (PutObject, UploadPart), raw (Forward) or must be empty. */
  | { readonly kind: 'ready'; readonly operation: Operation }
  /** The body is a document: read and verify at most `maxBytes` of it, then ask `read` for the operation. */
  | {
      readonly kind: 'document';
      readonly name: string;
      readonly bucket: string;
      readonly maxBytes: number;
      readonly read: (document: Buffer) => Operation;
      /** Of one that may be large: reads it as it comes, to the same operation. */
      readonly readAsItComes?: () => DocumentReader;
    }
  /** The body is a form: its fields carry signature and operation, its file the object's bytes. */
  | {
      readonly kind: 'form';
      readonly name: string;
      readonly bucket: string;
      /**
       * Reads the form up to its file, within bounds of the dialect's own. Call once.
       * @param checkFields is shown the fields, by name in lower case, before anything is made of them; what it throws
       *   ends the reading
       * @throws GatewayError
       */
      readonly open: (checkFields?: (fields: ReadonlyMap<string, string>) => void) => Promise<UploadForm>;
    };

/** Reads a document that may be large, piece by piece. */
export interface DocumentReader {
  /** What it holds of the document by now, in bytes of memory; it never shrinks. */
  readonly heldBytes: number;
  /** The chunk may be reused afterwards. @throws GatewayError; the reader is of no use then */
  push(chunk: Buffer): void;
  /** Call once, when all of it came. @throws GatewayError */
  end(): Operation;
}

/** A form whose fields were read. */
export interface UploadForm {
  /** Its `verify` holds the form against what its signer allowed, and gives the file. undefined: nobody signed it. */
  readonly claim: SignatureClaim | undefined;
  /** The file of a form that nobody signed, behind what the form itself promises of it. */
  readonly unsignedBody: () => VerifiedBody;
  readonly operation: Operation;
}

/** What a verified body turned out to carry, known once its bytes ended. */
export interface BodyProof {
  /** Checksum of the plaintext that the client declared and that was verified. */
  readonly checksum: Checksum | undefined;
  /** MD5 of the plaintext, where Content-MD5 or the bucket's ETags made it necessary to compute. */
  readonly md5: Buffer | undefined;
}

/**
 * A body behind its verification. `bytes()` yields plaintext and ends cleanly only after length, payload hash, chunk
 * signatures, trailer and checksums all held; otherwise it throws a GatewayError. So whoever withholds the last piece
 * until the end never completes a bad upload.
 */
export interface VerifiedBody {
  /** Plaintext length if the request declares it. */
  readonly plaintextBytes: number | undefined;
  /** More than these do not come, where the length itself is not known: memory is reserved for no more. */
  readonly mostBytes?: number | undefined;
  /** Of the checksum that the client declares, or announces for the trailer; the proof will have it. */
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  /** The proof will have the MD5. */
  readonly provesMd5?: boolean | undefined;
  /** Iterate once. */
  bytes(): ByteSource;
  /** @throws Error when called before bytes() ended */
  proof(): BodyProof;
}

/** A signature of an older scheme, which is there for the tenants that chose it. */
export interface LegacySignature {
  /** It stands in a URL that only reads: some tenants take no other. */
  readonly presignedRead: boolean;
  /** The setting of a tenant that would let this request in, for whoever reads the log. */
  readonly setting: string;
  /** What clients of all other tenants are told. */
  readonly refusal: () => GatewayError;
}

/** The signature that a request carries, read but not yet believed. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** It stands in a URL: whoever was given that may send it, from anywhere. */
  readonly presigned?: boolean | undefined;
  readonly legacy?: LegacySignature | undefined;
  /**
   * Verifies head and time; the body is verified as it is read.
   * @throws GatewayError SignatureDoesNotMatch, RequestTimeTooSkewed, ExpiredRequest, AuthorizationHeaderMalformed,
   *   AccessDenied (an unsigned x-amz header), NotImplemented (ECDSA) …
   */
  verify(secret: SigningSecret, now: Date): VerifiedBody;
}

/** One way to understand a request. Nothing is read before it is asked for, and every method may refuse. */
export interface Reading {
  /** What the request's address names, whatever it asks. @throws GatewayError */
  resource(): Resource;
  /**
   * Which operation a request is that `parse` refuses, from a bounded set of names: for the log. undefined where it is
   * none that the dialect knows. @throws GatewayError
   */
  operationNamed(): string | undefined;
  /**
   * undefined for an anonymous request.
   * @throws GatewayError for a signature that is malformed, doubled, or of a scheme that is refused
   */
  claim(): SignatureClaim | undefined;
  /** @throws GatewayError NotImplemented for everything that is not handled: fail closed */
  parse(): ParsedRequest;
  /**
   * The body of a request that nobody signed: what its head promises of it holds all the same.
   * @throws GatewayError as a claim's `verify` for what it says of the body
   */
  unsignedBody(): VerifiedBody;
}

/** What rendering needs beside the answer. */
export interface RenderContext {
  readonly requestId: string;
  readonly settings: FrontSettings;
  /** The request, if it got far enough to be read. */
  readonly request: WireRequest | undefined;
  /** Of the plaintext that the request brought: those that the dialect's `digests` name. */
  readonly digests?: readonly Checksum[] | undefined;
}

/** The face a dialect turns to clients. Stateless, but for caches of derived signing keys. */
export interface FrontDialect {
  readonly name: DialectName;
  /** What every write is told of its plaintext whether the client sent one or not; RenderContext has the values. */
  readonly digests: readonly ChecksumAlgorithm[];
  /** By signature scheme, then by the vendor's own headers and query names. */
  recognises(request: WireRequest): boolean;
  /**
   * Whether a form is of this dialect, by its fields (names in lower case): the head of a form's request does not tell.
   * Absent in the dialect that reads every form.
   */
  ownsForm?(fields: ReadonlyMap<string, string>): boolean;
  /**
   * What the request may mean, most likely first, at most eight: the first whose signature verifies is meant. Mostly
   * there is one (one-reading.ts). A vendor may have several where host, path or a map of domains can each name the
   * bucket.
   */
  readings(request: WireRequest, settings: FrontSettings): readonly [Reading, ...Reading[]];
  /** HEAD answers keep their Content-Length and have no body. Always sets the request id and Date. */
  render(answer: Answer, context: RenderContext): WireResponse;
  renderError(error: GatewayError, context: RenderContext): WireResponse;
  /**
   * An answer that is begun before its outcome is known, so that nobody on the way gives the connection up: something
   * at every `beat`, and at the end what `settled` brings, an error's document perhaps. Absent in a dialect that has no
   * such form; its clients wait.
   * @param settled a document; never rejects
   */
  renderLate?(settled: Promise<WireResponse>, beat: () => Promise<void>, context: RenderContext): WireResponse;
}
