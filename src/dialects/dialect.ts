import type { GatewayError } from '../errors.ts';
import type { Answer } from '../operations/answer.ts';
import type {
  Checksum,
  ChecksumAlgorithm,
  DialectName,
  MetadataEntry,
  ObjectMetadata,
  ObjectRef,
} from '../operations/object.ts';
import type {
  DeleteTarget,
  Forward,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
  Operation,
} from '../operations/operation.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { HeaderList } from '../wire/headers.ts';
import type {
  ByteSource,
  IncomingResponse,
  OutgoingBody,
  OutgoingRequest,
  WireRequest,
  WireResponse,
} from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import type {
  ForStore,
  StoreBucket,
  StoreGrammar,
  StoreLocation,
  StoreNames,
  StoreRef,
  StoreUploadId,
} from './identifiers.ts';
import type { StoreClaim } from './store-claim.ts';

/** A secret access key while it signs. Structural, so that this room need not know where secrets are kept. */
export interface SigningSecret {
  /** The secret's text. Never log, store or interpolate it into an error. */
  reveal(): string;
}

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

/** What a request is about: an object, a bucket, or neither: the service. */
export interface Resource {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** What rendering needs beside the answer. */
export interface RenderContext {
  readonly requestId: string;
  readonly settings: FrontSettings;
  /** The request, if it got far enough to be read. */
  readonly request: WireRequest | undefined;
  /** Whether what the request stores lies in the store as ciphertext. */
  readonly seals?: boolean | undefined;
}

/** The face a dialect turns to clients. Stateless, but for caches of derived signing keys. */
export interface FrontDialect {
  readonly name: DialectName;
  /** By signature scheme, then by the vendor's own headers and query names (reference: dialects.md §6). */
  recognises(request: WireRequest): boolean;
  /**
   * Whether a form is of this dialect, by its fields (names in lower case): the head of a form's request does not tell.
   * Absent in the dialect that reads every form.
   */
  ownsForm?(fields: ReadonlyMap<string, string>): boolean;
  /**
   * undefined for an anonymous request.
   * @throws GatewayError for a signature that is malformed, doubled, or of a scheme that is refused
   */
  readClaim(request: WireRequest, settings: FrontSettings): SignatureClaim | undefined;
  /**
   * The body of a request that nobody signed: what its head promises of it holds all the same.
   * @throws GatewayError as a claim's `verify` for what it says of the body
   */
  unsignedBody(request: WireRequest): VerifiedBody;
  /** What the request's address names, whatever it asks. @throws GatewayError */
  resourceOf(request: WireRequest, settings: FrontSettings): Resource;
  /**
   * Which operation a request is that `parse` refuses, from a bounded set of names: for the log. undefined where it is
   * none that the dialect knows. @throws GatewayError
   */
  operationNamed(request: WireRequest, settings: FrontSettings): string | undefined;
  /** @throws GatewayError NotImplemented for everything that is not handled: fail closed */
  parse(request: WireRequest, settings: FrontSettings): ParsedRequest;
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

/** Stores a sealed body: what a PutObject has become. */
export interface StorePut {
  readonly ref: ObjectRef;
  /** User metadata already includes the envelope's entry. */
  readonly metadata: ObjectMetadata;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
  readonly body: OutgoingBody;
}

/** What a copy within the backend reads: exactly this object, or nothing is copied. */
export interface StoreCopySource {
  readonly ref: ObjectRef;
  /** The backend's, unquoted. */
  readonly etag: string;
}

/** A copy within the backend: no byte comes this way. */
export interface StoreCopy {
  readonly ref: ObjectRef;
  readonly source: StoreCopySource;
  /** Stands in place of the source's; the envelope's entry is among it. */
  readonly metadata: ObjectMetadata;
  readonly tags: 'copy' | 'replace';
}

/** A part of an upload that is copied within the backend. */
export interface StorePartCopy {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly source: StoreCopySource;
  /** Of stored bytes; undefined is the whole source. */
  readonly range: ByteRange | undefined;
}

export interface StoreGet {
  readonly ref: ObjectRef;
  /** Of stored bytes. `last` undefined means to the end; suffixBytes asks for the end. */
  readonly range?:
    | { readonly first: number; readonly last: number | undefined }
    | { readonly suffixBytes: number }
    | undefined;
  /** Instead of a range: one of the parts that the object was stored in, counted from 1. */
  readonly part?: number | undefined;
  /** ETags in the backend's form. */
  readonly conditions: Conditions;
}

/** A GET or HEAD answer of the backend, read. Sizes are stored bytes. All of it is what the backend claims. */
export interface StoredObject {
  /** Whole object, also when a range was asked. */
  readonly storedBytes: number;
  /** Of the bytes in the body, when the answer is partial. */
  readonly storedRange: { readonly first: number; readonly last: number } | undefined;
  /** The backend's, unquoted. */
  readonly etag: string;
  readonly lastModified: Date;
  /** The envelope's entry still among the user metadata. `vendor` holds the rest of the vendor's answer headers that may reach a client of the same dialect: no checksums, no request ids, no framing. */
  readonly metadata: ObjectMetadata;
  readonly versionId: string | undefined;
  /** When a part was asked for and the object was stored in parts. */
  readonly partsCount: number | undefined;
}

export interface StoredAck {
  /** The backend's, unquoted. */
  readonly etag: string;
  readonly versionId: string | undefined;
  readonly vendor: HeaderList;
}

export interface StoredCopy extends StoredAck {
  readonly lastModified: Date;
}

export interface StoredEntry {
  readonly key: string;
  readonly storedBytes: number;
  readonly etag: string;
  readonly lastModified: Date;
  readonly storageClass: string | undefined;
  readonly owner: { readonly id: string; readonly displayName: string } | undefined;
}

export interface StoredListing {
  readonly entries: readonly StoredEntry[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextMarker: string | undefined;
  readonly nextContinuationToken: string | undefined;
}

export interface StoredVersion extends StoredEntry {
  /** `null` where the store keeps no versions. */
  readonly versionId: string;
  readonly latest: boolean;
  /** Then size and ETag say nothing. */
  readonly deleteMarker: boolean;
}

export interface StoredVersionListing {
  readonly entries: readonly StoredVersion[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextVersionIdMarker: string | undefined;
}

export interface CompletedPart {
  readonly partNumber: number;
  /** The backend's, unquoted. */
  readonly etag: string;
}

/**
 * A page of the parts that the backend has of an upload. Sizes are stored bytes. An ETag is empty where the backend
 * could not tell of a part, because it is overwritten or completed this very moment: a part that nobody sent.
 */
export interface StoredPartListing {
  readonly parts: readonly (CompletedPart & { readonly storedBytes: number; readonly lastModified: Date })[];
  readonly truncated: boolean;
}

export interface StoredUploadListing {
  readonly uploads: readonly {
    readonly key: string;
    readonly uploadId: string;
    readonly initiated: Date;
    readonly storageClass: string | undefined;
  }[];
  readonly commonPrefixes: readonly string[];
  readonly truncated: boolean;
  readonly nextKeyMarker: string | undefined;
  readonly nextUploadIdMarker: string | undefined;
}

export interface BackendCredentials {
  readonly accessKeyId: string;
  readonly secret: SigningSecret;
  readonly region: string;
}

/** Whose rights a request to the backend uses: its refusal means something else for each. */
export type Asker =
  /** The gateway's own key, from the configuration. */
  | 'gateway'
  /** A backend key that the client's access key or its tenant has. */
  | 'caller'
  /** Nobody's: the request goes unsigned, for the client's came so. */
  | 'anonymous';

/** A client's request that a backend of the same dialect answers. */
export interface ForwardedRequest {
  readonly request: OutgoingRequest;
  /** The headers of the answer that go on to the client, in lower case; all others stay behind. */
  readonly answerHeaders: ReadonlySet<string>;
}

/**
 * The face a dialect turns to a backend: renders unsigned requests from the model, signs them, reads answers. Pure:
 * connections live in src/backend. Readers of a document take at most what the pipeline collected for them.
 */
export interface BackDialect {
  readonly name: DialectName;
  /** What a store of this dialect takes for identifiers; no other are rendered. */
  grammar(names: StoreNames): StoreGrammar;
  put(put: ForStore<StorePut>): OutgoingRequest;
  get(get: ForStore<StoreGet>): OutgoingRequest;
  head(get: ForStore<StoreGet>): OutgoingRequest;
  /** ETags in the backend's form, here and in the targets. */
  delete(ref: StoreRef, conditions: Conditions, vendor?: HeaderList): OutgoingRequest;
  deleteMany(bucket: StoreBucket, targets: readonly ForStore<DeleteTarget>[], vendor?: HeaderList): OutgoingRequest;
  list(asked: ForStore<ListObjects>): OutgoingRequest;
  listVersions(asked: ForStore<ListObjectVersions>): OutgoingRequest;
  listBuckets(): OutgoingRequest;
  headBucket(bucket: StoreBucket): OutgoingRequest;
  createBucket(bucket: StoreBucket, location: StoreLocation | undefined, vendor: HeaderList): OutgoingRequest;
  deleteBucket(bucket: StoreBucket): OutgoingRequest;
  bucketLocation(bucket: StoreBucket): OutgoingRequest;
  createUpload(ref: StoreRef, metadata: ObjectMetadata): OutgoingRequest;
  uploadPart(ref: StoreRef, uploadId: StoreUploadId, partNumber: number, body: OutgoingBody): OutgoingRequest;
  /** A part whose content is not what its own digest says: refused of everybody, but first of those who may not. */
  impossiblePart(ref: StoreRef, uploadId: StoreUploadId): OutgoingRequest;
  completeUpload(
    ref: StoreRef,
    uploadId: StoreUploadId,
    parts: readonly CompletedPart[],
    conditions: Conditions,
  ): OutgoingRequest;
  abortUpload(ref: StoreRef, uploadId: StoreUploadId): OutgoingRequest;
  copy(copy: ForStore<StoreCopy>): OutgoingRequest;
  copyPart(copy: ForStore<StorePartCopy>): OutgoingRequest;
  tags(ref: StoreRef): OutgoingRequest;
  /** The parts after a number, at most 1,000. */
  listParts(ref: StoreRef, uploadId: StoreUploadId, partNumberMarker: number): OutgoingRequest;
  listUploads(asked: ForStore<ListMultipartUploads>): OutgoingRequest;

  /**
   * A client's request of the same dialect, for a backend to answer as it is: path style, made of the operation and of
   * the headers and query parameters that the operation may carry. `document` is the verified body.
   */
  forward(request: WireRequest, operation: ForStore<Forward>, document: Buffer): ForwardedRequest;

  /** A browser's question what pages of an origin may do there (wire/cross-origin.ts). */
  preflight(resource: ForStore<Resource>, question: HeaderList): OutgoingRequest;

  /**
   * Adds date, payload hash and authorization to the headers. `host` is the authority that the connection uses. Without
   * credentials whatever signature is there goes, and the request is nobody's.
   */
  sign(request: OutgoingRequest, credentials: BackendCredentials | undefined, host: string, now: Date): void;

  readObject(response: IncomingResponse): StoredObject;
  readAck(response: IncomingResponse): StoredAck;
  readDelete(response: IncomingResponse): { readonly versionId: string | undefined; readonly deleteMarker: boolean };
  readDeleteMany(document: Buffer): {
    readonly deleted: readonly {
      readonly key: string;
      readonly versionId?: string | undefined;
      readonly deleteMarker?: boolean | undefined;
      readonly deleteMarkerVersionId?: string | undefined;
    }[];
    readonly failures: readonly {
      readonly key: string;
      readonly versionId?: string | undefined;
      readonly code: string;
      readonly message: string;
    }[];
  };
  /**
   * Listings are read as they come; the promise settles only once the whole document was read and found sound, so that
   * a listing cut short is never taken for a whole one. @throws GatewayError BackendError, and what `body` throws
   */
  readListing(body: ByteSource): Promise<StoredListing>;
  readVersionListing(body: ByteSource): Promise<StoredVersionListing>;
  /** Whether the refusal is of an impossible part itself, or the part was taken by a store that reads no digests. */
  isImpossiblePart(response: IncomingResponse, document: Buffer): boolean;
  readBuckets(document: Buffer): readonly { readonly name: string; readonly created: Date }[];
  readLocation(document: Buffer): string;
  readUploadId(document: Buffer): string;
  readParts(document: Buffer): StoredPartListing;
  readUploads(document: Buffer): StoredUploadListing;
  /** Complete may answer 200 with an error in its body: then it throws. */
  readComplete(response: IncomingResponse, document: Buffer): StoredAck;
  /** A copy may answer 200 with an error in its body, as Complete may: then it throws. */
  readCopied(response: IncomingResponse, document: Buffer): StoredCopy;
  /** The same of a part: its ETag, unquoted. */
  readCopiedPart(response: IncomingResponse, document: Buffer): string;
  /** An object's tags, as the headers by which a write sets them (ObjectMetadata.vendor). */
  readTags(document: Buffer): HeaderList;
  /**
   * Any other status than success: what the backend claims of the object (a StoreClaim), or the neutral error: NoSuchKey,
   * BackendRefused (a rule of the backend's own), BackendUnavailable (5xx, SlowDown), BackendError (its view of our credentials),
   * BackendKeyRefused (of a caller's). `asker` is who asked, the gateway where nobody says.
   */
  readError(
    response: IncomingResponse,
    document: Buffer,
    ref: { readonly bucket?: string | undefined; readonly key?: string | undefined },
    asker?: Asker,
  ): GatewayError | StoreClaim;
  /** What every part of an upload but the last must have, in stored bytes; Complete refuses less. */
  readonly smallestPartBytes: number;
  /** A single part of an upload has at most so many stored bytes. */
  readonly largestPartBytes: number;
  /** A larger object must come in parts. */
  readonly largestPutBytes: number;
  /** The bytes that user metadata takes in the backend's count, names included, and its limit. */
  readonly metadataLimitBytes: number;
  metadataBytes(user: readonly MetadataEntry[]): number;
}
