import type { GatewayError } from '../errors.ts';
import type { DialectName } from '../operations/object.ts';
import type { Forward } from '../operations/operation.ts';
import type { OutgoingRequest, WireRequest } from '../wire/message.ts';
import type { AnswerHead, BackendCalls } from './backend-calls.ts';
import type { BackendLimits } from './backend-limits.ts';
import type { ForStore, StoreGrammar, StoreNames } from './identifiers.ts';
import type { SigningSecret } from './signing-secret.ts';
import type { StoreClaim } from './store-claim.ts';

export interface BackendCredentials {
  readonly accessKeyId: string;
  readonly secret: SigningSecret;
  readonly region: string;
}

/** Whose rights a request to the backend uses. A refusal means something else for each of them. */
export type Asker =
  /** The gateway's own key, from the configuration. */
  | 'gateway'
  /** A backend key that the client's access key or its tenant has. */
  | 'caller'
  /** Nobody's: the request goes unsigned, because the client's came unsigned. */
  | 'anonymous';

/** A client's request that a backend of the same dialect answers. */
export interface ForwardedRequest {
  readonly request: OutgoingRequest;
  /** The headers of the answer that go on to the client, in lower case. All others are left out. */
  readonly answerHeaders: ReadonlySet<string>;
}

/**
 * The face that a dialect turns to a backend: it renders requests from the neutral model, signs them, and reads answers.
 * It is pure; connections live in src/backend, and src/store runs its rows.
 */
export interface BackendDialect {
  readonly name: DialectName;
  /** The identifiers that a store of this dialect takes. No others are rendered. */
  grammar(names: StoreNames): StoreGrammar;
  readonly calls: BackendCalls;
  readonly limits: BackendLimits;

  /**
   * The host, and the port where it is not the scheme's own, that a request goes to: its Host header and the name in TLS.
   * It is the endpoint itself where paths begin with the bucket, or a bucket's own host. It must be a pure function of
   * names that a grammar made, because it decides whom the gateway connects to.
   * @param bucket as the rendered request has it (OutgoingRequest.bucket)
   */
  authorityOf(endpoint: URL, bucket: string | undefined): string;

  /**
   * Adds date, payload hash and authorization to the headers, in place of those of an earlier attempt. `host` is the
   * authority that the request goes to. Without credentials the request stays unsigned, and is nobody's.
   */
  sign(request: OutgoingRequest, credentials: BackendCredentials | undefined, host: string, now: Date): void;

  /**
   * Reads any answer that is no success: what the backend claims of the object (a StoreClaim), or the neutral error, as
   * NoSuchKey, BackendRefused (a rule of the backend's own), BackendUnavailable (5xx, SlowDown), BackendError (the backend
   * rejects the gateway's credentials), BackendKeyRefused (it rejects a caller's). `asker` is the gateway by default.
   */
  readError(
    answer: AnswerHead,
    document: Buffer,
    about: { readonly bucket?: string | undefined; readonly key?: string | undefined },
    asker?: Asker,
  ): GatewayError | StoreClaim;

  /**
   * Renders a client's request of the same dialect anew, from the operation and from the headers and query parameters that
   * the operation may carry, for the backend to answer. `document` is the verified body. Absent where this dialect
   * forwards nothing.
   */
  readonly forward?: (request: WireRequest, operation: ForStore<Forward>, document: Buffer) => ForwardedRequest;
}
