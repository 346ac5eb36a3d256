import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from './headers.ts';
import { QueryList } from './query.ts';
import { parseTarget, type RequestTarget } from './target.ts';

/**
 * A stream of bytes that its consumer pulls. Backpressure is that the consumer does not pull. A chunk is valid until
 * the next pull, because a source may reuse its buffer; so use or copy it before. To end the iteration early (by break,
 * throw or return()) releases what the source holds.
 */
export type ByteSource = AsyncIterable<Buffer>;

/** Who sent a request, and whether it was encrypted on its way. */
export interface WireClient {
  /** An IP address without port or zone, IPv4 always in dotted form; '' where the connection was closed at once. */
  readonly address: string;
  /**
   * Set where a trusted proxy said something of the client, but no address that can be read. The address is the
   * proxy's then, and says nothing of where the client is.
   */
  readonly hidden?: true;
  /** Whether the request came over TLS, to the gateway or to the proxy in front of it. */
  readonly secure: boolean;
  /**
   * The version of TLS over which the client is connected to the gateway itself; undefined without TLS, and behind a
   * proxy, which does not tell it.
   */
  readonly tls?: '1.2' | '1.3' | undefined;
}

/** A request as it was received. The listener makes it; the fronts verify and parse it, and do not change it. */
export class WireRequest {
  /** The id of this request alone. The answer and the log tell it. */
  readonly id: string;
  readonly method: string;
  readonly target: RequestTarget;
  readonly headers: HeaderList;
  /**
   * The body without HTTP's framing (chunked transfer coding), and still with a vendor's (aws-chunked). Iterate it
   * once.
   */
  readonly body: ByteSource;
  /** The client that connected, or, where that is a trusted proxy, the client that the proxy names. */
  readonly client: WireClient;
  /** Aborts when the client has gone, or when the gateway gives up the request. */
  readonly signal: AbortSignal;
  #query: QueryList | undefined;

  constructor(fields: {
    readonly id: string;
    readonly method: string;
    readonly rawTarget: string;
    readonly headers: HeaderList;
    readonly body: ByteSource;
    readonly client: WireClient;
    readonly signal: AbortSignal;
  }) {
    this.id = fields.id;
    this.method = fields.method;
    this.target = parseTarget(fields.rawTarget, fields.headers.get('host'));
    this.headers = fields.headers;
    this.body = fields.body;
    this.client = fields.client;
    this.signal = fields.signal;
  }

  /** The decoded query. @throws GatewayError InvalidURI */
  get query(): QueryList {
    this.#query ??= new QueryList(this.target.rawQuery);
    return this.#query;
  }
}

/** An answer to a client. Where its body throws, the connection is destroyed, so that the body never seems complete. */
export interface WireResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer | ByteSource | undefined;
}

/** A request to the backend. */
export interface OutgoingRequest {
  readonly method: string;
  /** The bucket, where it decides the host (BackendDialect.authorityOf) and is not in the path. */
  readonly bucket?: string | undefined;
  /** Path and query, percent-encoded, exactly as they are sent. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: OutgoingBody | undefined;
  /** Whether the request may be sent again when the connection failed before any byte of the body was used. */
  readonly idempotent: boolean;
}

/** A body of the backend's request: in memory, or a stream whose length is known. */
export type OutgoingBody = Buffer | { readonly bytes: number; readonly source: ByteSource };

/** An answer of the backend. Iterate `body` to its end or call `discard`, or else the connection stays in use. */
export interface IncomingResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: ByteSource;
  /** Gives up the rest of the body. A small rest is read and dropped; for a large one the connection is closed. */
  discard(): void;
  /**
   * Allows that the connection is taken away while nobody pulls the body. When the body is pulled again after that,
   * `askAgain` must send a new request for the same bytes from `fromByte` on. Absent where connections are not taken
   * away.
   */
  readonly allowInterruption?: (askAgain: (fromByte: number) => Promise<IncomingResponse>) => void;
}

/**
 * An answer that the pass-through lane itself writes to node's response (src/backend/pass-through-lane.ts). The promise
 * settles when the exchange is over. It rejects only where no byte of the answer was written.
 */
export interface PassThrough {
  readonly passThrough: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
