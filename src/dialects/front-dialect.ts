import type { GatewayError } from '../errors.ts';
import type { Answer } from '../operations/answer.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { Checksum, ChecksumAlgorithm, DialectName, Resource } from '../operations/object.ts';
import type { Operation, PostObject } from '../operations/operation.ts';
import type { ByteSource, WireRequest, WireResponse } from '../wire/message.ts';
import type { SigningSecret } from './signing-secret.ts';

/** The settings that all fronts share: the region and the domains under which clients reach the gateway. */
export interface FrontSettings {
  /** Signatures must name this region, and clients that ask for a bucket's region are told it. */
  readonly region: string;
  /**
   * Whether signatures may name any region. This lets nobody else in, because a signature still needs the secret key.
   */
  readonly anyRegion?: boolean | undefined;
  /**
   * Domains for virtual-host style: a request to the host `<bucket>.<domain>` is for that bucket. Lower case, no port.
   */
  readonly domains: readonly string[];
  /** Hosts that stand for one bucket each (CNAME), in lower case and without port. */
  readonly bucketHosts?: ReadonlyMap<string, string> | undefined;
}

/** A request as a dialect understood it. */
export type ParsedRequest =
  /**
   * The operation follows from the request's head alone. The body is an object's bytes (PutObject, UploadPart), is
   * passed on as it is (Forward), or must be empty.
   */
  | { readonly kind: 'ready'; readonly operation: Operation }
  /**
   * The body is a document. The pipeline collects and verifies it, refuses more than `maxBytes`, and has `read` make
   * the operation of it.
   */
  | {
      readonly kind: 'document';
      readonly name: string;
      readonly bucket: string;
      readonly maxBytes: number;
      readonly read: (document: Buffer) => Operation;
      /**
       * Makes a reader that takes the document as it arrives, for the same operation. Present where it may be large.
       */
      readonly readAsItComes?: () => DocumentReader;
    }
  /**
   * The body is an HTML form (multipart/form-data). Its fields have signature and operation; its file is the object.
   */
  | {
      readonly kind: 'form';
      readonly name: string;
      readonly bucket: string;
      /**
       * Reads the form up to its file, within bounds that the dialect sets. Call it once.
       * @param readersOf is called with the fields, by name in lower case, before they are interpreted, and returns how
       *   another dialect reads them, where the form is that one's; what it throws ends the reading
       * @throws GatewayError
       */
      readonly open: (
        readersOf?: (fields: ReadonlyMap<string, string>) => FormReaders | undefined,
      ) => Promise<UploadForm>;
    };

/** Reads a document chunk by chunk, so that only the operation made of it is held in memory, not the document. */
export interface DocumentReader {
  /** The bytes of memory that the reader holds by now. The number never shrinks. */
  readonly heldBytes: number;
  /** The caller may reuse the chunk afterwards. @throws GatewayError, after which the reader must not be used */
  push(chunk: Buffer): void;
  /** Call it once, after the last chunk. @throws GatewayError for a document that is incomplete or malformed */
  end(): Operation;
}

/** The signature of a form's policy. It was read, and is not verified yet. */
export interface PolicyClaim extends Pick<SignatureClaim, 'accessKeyId' | 'legacy'> {
  /** @throws GatewayError SignatureDoesNotMatch, AccessDenied, AuthorizationQueryParametersError … */
  verify(secret: SigningSecret, now: Date): void;
}

/** How a dialect reads the fields of a form, which have names in lower case. Variables in their values are expanded. */
export interface FormReaders {
  /** The fields for which the policy needs no condition, such as the policy itself and its signature. */
  readonly freeFields: ReadonlySet<string> | 'all';
  /** Returns undefined for a form that nobody signed. @throws GatewayError */
  claim(fields: ReadonlyMap<string, string>, settings: FrontSettings): PolicyClaim | undefined;
  /** @throws GatewayError */
  operation(bucket: string, fields: ReadonlyMap<string, string>, request: WireRequest): PostObject;
  /**
   * Returns the file as a body, of which the digests that the form gives are verified.
   * @param mostBytes an upper bound of the file's length, where one is known
   * @throws GatewayError
   */
  body(file: ByteSource, fields: ReadonlyMap<string, string>, mostBytes: number | undefined): VerifiedBody;
}

/** A form whose fields were read, and whose file comes next. */
export interface UploadForm {
  /**
   * The form's signature; undefined where nobody signed it. Its `verify` checks the fields against the policy that was
   * signed, and returns the file.
   */
  readonly claim: SignatureClaim | undefined;
  /** Returns the file of a form that nobody signed. Digests that the form gives for the file are verified. */
  readonly unsignedBody: () => VerifiedBody;
  readonly operation: Operation;
}

/** The digests of a verified body, which are known once its bytes ended. */
export interface BodyProof {
  /** The checksum of the plaintext, which the client declared and the gateway verified. */
  readonly checksum: Checksum | undefined;
  /** The MD5 of the plaintext. It is computed only where Content-MD5 or the bucket's ETags need it. */
  readonly md5: Buffer | undefined;
  /** The CRC-64/XZ of the plaintext. It is computed only where a dialect of the bucket tells it. */
  readonly crc64?: Buffer | undefined;
}

/**
 * A body that is verified as it is read. `bytes()` yields plaintext and ends cleanly only after length, payload hash,
 * chunk signatures, trailer and checksums were all found right; otherwise it throws a GatewayError. So a writer that
 * withholds the last piece until the end never completes a bad upload.
 */
export interface VerifiedBody {
  /** The length of the plaintext, if the request declares it. */
  readonly plaintextBytes: number | undefined;
  /** An upper bound on the length, where the exact one is not known, so that no more memory is reserved. */
  readonly mostBytes?: number | undefined;
  /**
   * The algorithm of the checksum that the client declares, or announces for the trailer. The proof will have the
   * value.
   */
  readonly checksumAlgorithm?: ChecksumAlgorithm | undefined;
  /** Whether the proof will have the MD5. */
  readonly provesMd5?: boolean | undefined;
  /** Whether the proof will have the CRC-64. */
  readonly provesCrc64?: boolean | undefined;
  /** Iterate it once. */
  bytes(): ByteSource;
  /** @throws Error when it is called before `bytes()` ended */
  proof(): BodyProof;
}

/** Describes a deprecated signature scheme, which only tenants that enabled it may use. */
export interface LegacySignature {
  /** Whether the signature stands in a URL that only reads. Some tenants allow the scheme for such URLs alone. */
  readonly presignedRead: boolean;
  /** Names, for the log, the tenant setting that would let this request in. */
  readonly setting: string;
  /** Returns the error for clients of tenants that have not enabled the scheme. */
  readonly refusal: () => GatewayError;
}

/** The signature that a request carries. It is read, and not verified yet. */
export interface SignatureClaim {
  readonly accessKeyId: string;
  /** Whether the signature stands in a URL, which anybody who was given it may send, from any address. */
  readonly presigned?: boolean | undefined;
  /** Set when the claim uses a deprecated scheme. */
  readonly legacy?: LegacySignature | undefined;
  /**
   * Verifies the signature of the request's head, and that its time is allowed at `now`. The body that it returns is
   * verified as it is read.
   * @throws GatewayError SignatureDoesNotMatch, RequestTimeTooSkewed, ExpiredRequest, AuthorizationHeaderMalformed,
   *   AccessDenied (an unsigned x-amz header), NotImplemented (ECDSA) …
   */
  verify(secret: SigningSecret, now: Date): VerifiedBody;
}

/** One way to understand a request. Each method reads what it needs when it is called, and may refuse the request. */
export interface Reading {
  /** Returns the object or bucket that the address names, whatever operation is asked for. @throws GatewayError */
  resource(): Resource;
  /**
   * Names the operation of a request that `parse` refuses, for the log. The names are a bounded set; undefined where
   * the dialect does not know the operation. @throws GatewayError
   */
  operationNamed(): string | undefined;
  /**
   * Returns the request's signature, or undefined for an anonymous request.
   * @throws GatewayError for a signature that is malformed, doubled, or of a scheme that is refused
   */
  claim(): SignatureClaim | undefined;
  /**
   * Reads what the request asks for.
   * @throws GatewayError NotImplemented for every request that the dialect does not handle, so that none is forwarded
   *   by accident
   */
  parse(): ParsedRequest;
  /**
   * Returns the body of a request that nobody signed. The length and digests that its headers give are verified all the
   * same.
   * @throws GatewayError as SignatureClaim.verify, for headers about the body that cannot be used
   */
  unsignedBody(): VerifiedBody;
}

/** A digest of the plaintext that a dialect may tell: `crc64` is the CRC-64/XZ of OSS and COS (`ObjectFacts.crc64`). */
export type ToldDigest = 'crc64';

/** What clients of a dialect are told of objects. */
export type ToldOfObjects = Pick<FrontDialect, 'digests' | 'etags'>;

/** What a front needs, beside the answer, to render it. */
export interface RenderContext {
  readonly requestId: string;
  readonly settings: FrontSettings;
  /** undefined where the request could not be read at all. */
  readonly request: WireRequest | undefined;
}

/** What is known of an answer that begins before its outcome. */
export interface LateContext extends RenderContext {
  readonly encryption?: EncryptionFacts | undefined;
}

/**
 * The side of a dialect that faces clients: it reads requests and renders answers. It keeps no state but caches of
 * signing keys.
 */
export interface FrontDialect {
  readonly name: DialectName;
  /**
   * The digests that answers tell of the plaintext, whether or not the client sent one. The gateway computes and keeps
   * them; answers have the values.
   */
  readonly digests: readonly ToldDigest[];
  /**
   * `md5` where the vendor's clients take the ETag of an object, or of a part, for the MD5 of its plaintext. The
   * dialect's requests then see such ETags in every bucket whose rule does not say `etag`.
   */
  readonly etags?: 'md5' | undefined;
  /**
   * Whether the request speaks this dialect, judged by its signature scheme and by the vendor's own headers and query
   * names.
   */
  recognises(request: WireRequest): boolean;
  /**
   * Whether an HTML form is of this dialect, judged by its fields (names in lower case), because the head of its
   * request looks the same in all dialects. Absent in the dialect that reads all other forms.
   */
  ownsForm?(fields: ReadonlyMap<string, string>): boolean;
  /** How the dialect reads such a form; absent where it has no uploads by form. */
  readonly forms?: FormReaders | undefined;
  /**
   * Returns the ways to understand a request, the most likely first, at most eight. The first one whose signature
   * verifies is the one that the client meant. Most requests have one reading (one-reading.ts); a vendor has several
   * where host, path or a map of domains can each name the bucket.
   */
  readings(request: WireRequest, settings: FrontSettings): readonly [Reading, ...Reading[]];
  /**
   * Returns a reading for each of these buckets, of a request whose signature none of its `readings` verifies. Present
   * where SDKs may name the bucket in what they sign alone. The buckets are the signer's own, as far as they are known
   * by name.
   */
  readingsIn?(request: WireRequest, settings: FrontSettings, buckets: readonly string[]): readonly Reading[];
  /** Renders an answer, with the request's id. The answer to a HEAD has the Content-Length of a GET's, and no body. */
  render(answer: Answer, context: RenderContext): WireResponse;
  renderError(error: GatewayError, context: RenderContext): WireResponse;
  /**
   * Begins an answer before its outcome is known, so that neither the client nor a proxy gives up the connection. It
   * sends a little at every beat, and at the end the document of `settled`, which may report an error. Absent in a
   * dialect that has no such answer; its clients wait for the outcome.
   * @param settled the finished answer, a document; the promise never rejects
   * @param beat returns a promise that settles when something should be sent
   * @param context `encryption` is what the outcome will tell of encryption, where that is known by now
   */
  renderLate?(settled: Promise<WireResponse>, beat: () => Promise<void>, context: LateContext): WireResponse;
}
