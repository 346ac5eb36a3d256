import type { GatewayError } from '../errors.ts';
import type { DeleteFailure } from '../operations/answer.ts';
import type { DialectName, ObjectMetadata, Resource, Tag, VendorHeaders } from '../operations/object.ts';
import type {
  DeleteTarget,
  Forward,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
} from '../operations/operation.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, IncomingResponse, OutgoingBody, OutgoingRequest, WireRequest } from '../wire/message.ts';
import type { BackendLimits } from './backend-limits.ts';
import type {
  ForStore,
  StoreBucket,
  StoreGrammar,
  StoreLocation,
  StoreNames,
  StoreRef,
  StoreUploadId,
} from './identifiers.ts';
import type { SigningSecret } from './signing-secret.ts';
import type { StoreClaim } from './store-claim.ts';
import type {
  CompletedPart,
  StoreCopy,
  StoredAck,
  StoredCopy,
  StoredListing,
  StoredObject,
  StoredPartListing,
  StoredUploadListing,
  StoredVersionListing,
  StoreGet,
  StorePartCopy,
  StorePut,
} from './store-exchange.ts';

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
  delete(ref: StoreRef, conditions: Conditions, vendor?: VendorHeaders): OutgoingRequest;
  deleteMany(bucket: StoreBucket, targets: readonly ForStore<DeleteTarget>[], vendor?: VendorHeaders): OutgoingRequest;
  list(asked: ForStore<ListObjects>): OutgoingRequest;
  listVersions(asked: ForStore<ListObjectVersions>): OutgoingRequest;
  listBuckets(): OutgoingRequest;
  headBucket(bucket: StoreBucket): OutgoingRequest;
  createBucket(bucket: StoreBucket, location: StoreLocation | undefined, vendor?: VendorHeaders): OutgoingRequest;
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
    readonly failures: readonly DeleteFailure[];
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
  readTags(document: Buffer): readonly Tag[];
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
  readonly limits: BackendLimits;
}
