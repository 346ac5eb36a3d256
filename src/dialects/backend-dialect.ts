import type { GatewayError } from '../errors.ts';
import type { DialectName } from '../operations/object.ts';
import type { Forward } from '../operations/operation.ts';
import type { OutgoingRequest, WireRequest } from '../wire/message.ts';
import type { AnswerHead, BackendCalls } from './backend-calls.ts';
import type { BackendLimits } from './backend-limits.ts';
import type { ForStore, StoreGrammar, StoreNames } from './identifiers.ts';
import type { SigningSecret } from './signing-secret.ts';
import type { StoreClaim } from './store-claim.ts';

/** The access key that requests to the store are signed with. */
export interface BackendCredentials {
  readonly accessKeyId: string;
  readonly secret: SigningSecret;
  readonly region: string;
}

/** Whose rights a request to the backend uses. What a refusal means depends on it. */
export type Asker =
  /** The gateway's own key, from the configuration. */
  | 'gateway'
  /** A backend key that belongs to the client's access key or to its tenant. */
  | 'caller'
  /** Nobody. The request is sent unsigned, because the client's came unsigned. */
  | 'anonymous';

/** A client's request as it is sent on to a backend of the same dialect, which answers it. */
export interface ForwardedRequest {
  readonly request: OutgoingRequest;
  /** The names, in lower case, of the answer's headers that are passed on to the client. All others are left out. */
  readonly answerHeaders: ReadonlySet<string>;
}

/**
 * The side of a dialect that faces a backend: it renders requests from the neutral model, signs them, and reads
 * answers. It does no input or output itself: src/store runs its rows, over the connections of src/backend.
 */
export interface BackendDialect {
  readonly name: DialectName;
  /** Says which identifiers a store of this dialect takes. No other identifier is ever rendered. */
  grammar(names: StoreNames): StoreGrammar;
  readonly calls: BackendCalls;
  readonly limits: BackendLimits;

  /**
   * The authority that a request is sent to: the host, and the port unless it is the scheme's default. It becomes the
   * Host header and the name that TLS verifies. In path style it is the endpoint's own; otherwise the bucket has a host
   * of its own. It must depend on nothing but the endpoint and a bucket name that a grammar made, because it decides
   * whom the gateway connects to.
   * @param bucket the bucket of the rendered request (OutgoingRequest.bucket)
   */
  authorityOf(endpoint: URL, bucket: string | undefined): string;

  /**
   * Signs the request: sets date, payload hash and authorization in its headers, and replaces those of an earlier
   * attempt. Without credentials the request stays unsigned, and the store treats it as anonymous.
   * @param host the authority that the request is sent to
   */
  sign(request: OutgoingRequest, credentials: BackendCredentials | undefined, host: string, now: Date): void;

  /**
   * Reads any answer that is not a success. It returns a StoreClaim where the backend claims something of the object
   * (304, 412, 416), and else a neutral error: for example NoSuchKey, BackendRefused (a rule of the backend's own),
   * BackendUnavailable (5xx, SlowDown), BackendError (the backend rejects the gateway's credentials) or
   * BackendKeyRefused (it rejects a caller's).
   * @param about the bucket and key that the request named, for the error's message
   * @param asker whose rights the request used; the gateway's own where it is absent
   */
  readError(
    answer: AnswerHead,
    document: Buffer,
    about: { readonly bucket?: string | undefined; readonly key?: string | undefined },
    asker?: Asker,
  ): GatewayError | StoreClaim;

  /**
   * Renders a client's request of the same dialect anew, for the backend to answer. It takes the operation, and of the
   * client's headers and query parameters only those that the operation may have. Absent where this dialect forwards
   * nothing.
   * @param document the verified body of the client's request
   */
  readonly forward?: (request: WireRequest, operation: ForStore<Forward>, document: Buffer) => ForwardedRequest;
}
