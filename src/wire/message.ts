import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from './headers.ts';
import { QueryList } from './query.ts';
import { parseTarget, type RequestTarget } from './target.ts';

/**
 * Bytes on their way, pulled by whoever consumes them: not pulling is the backpressure. A chunk belongs to the puller
 * until the next pull (a source may reuse its buffer), so consume or copy it before asking for more. Ending the
 * iteration early (break, throw, return()) releases the source's resources.
 */
export type ByteSource = AsyncIterable<Buffer>;

/** Who sent a request, and whether what they sent could be read on its way. */
export interface WireClient {
  /** An IP address without port or zone; of IPv4 always the plain form. '' where the connection was gone at once. */
  readonly address: string;
  /** Came over TLS, to the gateway or to the proxy in front of it. */
  readonly secure: boolean;
}

/** A request as it stood on the wire. The listener makes it; verification and parsing only read it. */
export class WireRequest {
  /** Unique a request; shown to the client and in the log. */
  readonly id: string;
  readonly method: string;
  readonly target: RequestTarget;
  readonly headers: HeaderList;
  /** The body after HTTP's own framing (chunked transfer coding undone), before any vendor framing. Iterate once. */
  readonly body: ByteSource;
  /** Whoever connected; or, where that is a trusted proxy, whom it speaks for. */
  readonly client: WireClient;
  /** Fires when the client is gone or the gateway gives the request up. */
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

  /** @throws GatewayError InvalidURI */
  get query(): QueryList {
    this.#query ??= new QueryList(this.target.rawQuery);
    return this.#query;
  }
}

/** An answer ready for the wire. A ByteSource body that throws destroys the connection: it never ends cleanly. */
export interface WireResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Buffer | ByteSource | undefined;
}

/** A request ready for the backend. */
export interface OutgoingRequest {
  readonly method: string;
  /** The bucket, where it is part of the host that is asked (BackendDialect.authorityOf) and not of the path. */
  readonly bucket?: string | undefined;
  /** Origin form, percent-encoded, with query: goes out verbatim. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: OutgoingBody | undefined;
  /** May be sent again when the connection failed before any body byte was consumed. */
  readonly idempotent: boolean;
}

/** Either whole in memory, or a stream of a length known before. */
export type OutgoingBody = Buffer | { readonly bytes: number; readonly source: ByteSource };

/** What the backend answered. Either iterate `body` to its end or call `discard`; else the connection stays taken. */
export interface IncomingResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: ByteSource;
  /** Lets go of what is left of the body: drains a small rest, closes the connection for a large one. */
  discard(): void;
  /**
   * From now on the connection may go to others while nobody pulls. When the body is pulled again after that, `askAgain`
   * is asked for an answer with its bytes from this one on, and no others. Absent where no connection does so.
   */
  readonly allowInterruption?: (askAgain: (fromByte: number) => Promise<IncomingResponse>) => void;
}

/**
 * An answer that the pass-through lane writes to node's response itself (src/backend/pass-through-lane.ts). The
 * promise settles when the exchange is over; it rejects only before a byte of the answer was written.
 */
export interface PassThrough {
  readonly passThrough: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
