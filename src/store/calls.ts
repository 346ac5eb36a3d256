import type { BackendConnection } from '../backend/connection.ts';
import type { Identity } from '../backend/identity.ts';
import type { AnswerHead, BackendCall } from '../dialects/backend-calls.ts';
import type { BackendDialect } from '../dialects/backend-dialect.ts';
import { type ForStore, madeBy, type StoreGrammar, type StoreNames } from '../dialects/identifiers.ts';
import { explained, readAcknowledged, type StoreClaim } from '../dialects/store-claim.ts';
import { GatewayError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import { GrowingReservation } from '../shares/growing-reservation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { ByteSource, IncomingResponse } from '../wire/message.ts';
import { CAREFUL_CAPABILITIES, type StoreFindings } from './capabilities.ts';

/** Holds a listing of 1,000 keys of 1,024 bytes, every byte of them an entity or percent-encoded, with room to spare. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
/** Holds a key, a place, an ETag, and the blanks by which a store says that it still works at the request. */
const MAX_ACK_BYTES = 256 * 1024;

/** Memory is reserved only for documents above this size. Most are smaller, and one for each connection comes to little. */
const UNRESERVED_BYTES = 64 * 1024;
/** A document is held as the pieces that came, as one buffer, as text, and as the values that are read from it. */
const DOCUMENT_FORMS = 4;

/** The connections that requests go out by. */
export type StoreConnection = Pick<BackendConnection, 'send' | 'region'>;

/** What a request is about, as errors tell it: an object's place, or a bucket's. */
export type About = Partial<ObjectRef> & { readonly ref?: ObjectRef };

export interface SendOptions {
  readonly signal: AbortSignal;
  /** For small answers to whoever may hold a download already. */
  readonly aside?: boolean | undefined;
}

export interface AskOptions extends SendOptions {
  /** The conditions of the request. Without any, no refusal can be about one. */
  readonly conditions?: Conditions | undefined;
  /** Told of every piece of a streamed document before it is read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What the store takes for identifiers: which of the two holds depends on what is found out of it. */
export type Grammars = Readonly<Record<StoreNames['keys'], StoreGrammar>>;

const NOTHING_FOUND: StoreFindings = { capabilities: CAREFUL_CAPABILITIES, pending: [] };
const NO_BUCKETS: ReadonlySet<string> = new Set();

export interface StoreOptions {
  /** With whose rights it asks. Default: the gateway's own. */
  readonly identity?: Identity | undefined;
  /** Where memory for the backend's documents is reserved. Default: nowhere. */
  readonly budget?: Budget | undefined;
  /** For whom it asks. Default: the gateway's own business. */
  readonly sharer?: Sharer | undefined;
  /** What the store does. Default: nothing is known of it. */
  readonly findings?: StoreFindings | undefined;
  /** Buckets that the store has for purposes of its own, in lower case. Default: none. */
  readonly reservedBuckets?: ReadonlySet<string> | undefined;
  /** For these buckets, where they were made already. */
  readonly grammars?: Grammars | undefined;
}

/**
 * Runs the rows of a backend's dialect, whatever they ask for: under names that the store's grammar made, with somebody's
 * rights, and from somebody's share. Every answer that is not success is thrown as the neutral error.
 */
export class StoreCalls {
  readonly dialect: BackendDialect;
  readonly connection: StoreConnection;
  readonly options: StoreOptions & { readonly findings: StoreFindings; readonly grammars: Grammars };

  constructor(dialect: BackendDialect, connection: StoreConnection, options: StoreOptions) {
    this.dialect = dialect;
    this.connection = connection;
    const { findings = NOTHING_FOUND, reservedBuckets = NO_BUCKETS } = options;
    const grammars = options.grammars ?? {
      paths: dialect.grammar({ keys: 'paths', reservedBuckets }),
      names: dialect.grammar({ keys: 'names', reservedBuckets }),
    };
    this.options = { ...options, findings, grammars };
  }

  /**
   * Asks one row and reads its answer.
   * @param call undefined where the dialect has no such row
   * @throws GatewayError NotImplemented for a missing row; the client's error for a name that the store cannot have; the
   *   neutral error for a refusal; BackendError for an answer that cannot be used
   */
  async run<Asked extends About, Answer>(
    call: BackendCall<Asked, Answer> | undefined,
    asked: Asked,
    options: AskOptions,
  ): Promise<Answer> {
    if (call === undefined) throw notImplemented();
    const response = await this.succeed(call, asked, options);
    switch (call.takes) {
      case 'nothing':
        response.discard();
        return call.read(response);
      case 'acknowledgement': {
        const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
        return readAcknowledged(() => call.read(document, response), options.conditions);
      }
      case 'document':
        return this.#document(response, (document) => call.read(document, response));
      case 'stream':
        return call.read(bounded(response.body, options.onBytes), response);
    }
  }

  /** Asks one row; the body of a successful answer is the caller's to take or to discard. @throws as `run` */
  async succeed<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    options: AskOptions,
  ): Promise<IncomingResponse> {
    const response = await this.send(call, asked, options);
    if (isSuccess(response)) return response;
    throw explained(await this.refusal(response, asked), options.conditions);
  }

  /** Asks one row, and answers whatever comes. Every identifier in `asked` is read by the store's grammar here. */
  async send<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    { signal, aside }: SendOptions,
  ): Promise<IncomingResponse> {
    const { identity, sharer, findings } = this.options;
    const answer = await this.connection.send(call.render(this.made(asked)), { signal, aside, identity, sharer });
    // Preflights are answered by a store's CORS layer, which may not name the store as its other answers do.
    if ((call as object) !== this.dialect.calls.preflight) findings.answered?.(answer);
    return answer;
  }

  /** Reads an answer that is no success, its body too. */
  async refusal(response: IncomingResponse, asked: About): Promise<GatewayError | StoreClaim> {
    return this.refusalIn(response, await errorDocument(response), asked);
  }

  refusalIn(answer: AnswerHead, document: Buffer, asked: About): GatewayError | StoreClaim {
    return this.dialect.readError(answer, document, asked.ref ?? asked, this.options.identity?.asker);
  }

  /** Every identifier in it read by the store's grammar. @throws GatewayError */
  made<T extends object>(asked: T): ForStore<T> {
    const { findings, grammars } = this.options;
    return madeBy(findings.capabilities.verbatimKeys ? grammars.names : grammars.paths, asked);
  }

  /** Reads a document, and reserves memory as it comes: a store may send megabytes, to many at once. */
  async #document<T>(response: IncomingResponse, read: (document: Buffer) => T): Promise<T> {
    const { budget } = this.options;
    const held = budget && new GrowingReservation(budget);
    let bytes = 0;
    const source = bounded(response.body, (more) => {
      bytes += more;
      if (bytes > UNRESERVED_BYTES) held?.grow(more * DOCUMENT_FORMS);
    });
    try {
      return read(await collect(source, MAX_DOCUMENT_BYTES, documentTooLarge));
    } finally {
      held?.release();
    }
  }
}

export function isSuccess({ status }: IncomingResponse): boolean {
  return status >= 200 && status < 300;
}

/** The pieces of a document, up to as many bytes as a document may have. `onBytes` is told of each before it is read. */
async function* bounded(
  source: ByteSource,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw documentTooLarge();
    onBytes?.(chunk.length);
    yield chunk;
  }
}

/** Pins a request to what was seen: it succeeds on this very object alone. */
export function pinTo({ etag }: { readonly etag: string }): Conditions {
  return { ifMatch: `"${etag}"` };
}

export function errorDocument({ body }: IncomingResponse): Promise<Buffer> {
  return collect(body, MAX_ERROR_BYTES, documentTooLarge);
}

function notImplemented(): GatewayError {
  return new GatewayError('NotImplemented', 'The backend does not implement this.', { source: 'backend' });
}

function documentTooLarge(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered a document larger than the gateway takes.', {
    source: 'backend',
  });
}
