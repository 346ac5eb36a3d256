import type { BackendConnection } from '../backend/connection.ts';
import type { Identity } from '../backend/identity.ts';
import type { AnswerHead, BackendCall, StoreUpload } from '../dialects/backend-calls.ts';
import type { BackendDialect } from '../dialects/backend-dialect.ts';
import { type ForStore, madeBy, type StoreGrammar, type StoreNames } from '../dialects/identifiers.ts';
import { explained, readAcknowledged, type StoreClaim } from '../dialects/store-claim.ts';
import type { StoredEncryption } from '../dialects/store-encryption.ts';
import { GatewayError } from '../errors.ts';
import type { EncryptionFacts } from '../operations/encryption.ts';
import type { ObjectRef } from '../operations/object.ts';
import { GrowingReservation } from '../shares/growing-reservation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { ByteSource, IncomingResponse } from '../wire/message.ts';
import { ASSUMED_CAPABILITIES, type StoreFindings } from './capabilities.ts';
import type { StoreEncrypter } from './encrypting/encrypter.ts';

/**
 * The largest document that is read: a listing of 1,000 keys of 1,024 bytes fits in, even if each byte of them is
 * escaped.
 */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
/**
 * The largest acknowledgement that is read: a key, a location, an ETag, and the blanks that a store sends while it
 * works.
 */
const MAX_ACK_BYTES = 256 * 1024;

/**
 * Memory is reserved only for documents above this size. Most are smaller, and one such document for each connection
 * takes little.
 */
const UNRESERVED_BYTES = 64 * 1024;
/**
 * How many times a document lies in memory: as the pieces that came, as one buffer, as text, and as the values read
 * from it.
 */
const DOCUMENT_FORMS = 4;

/** The connections that carry requests to the store. */
export type StoreConnection = Pick<BackendConnection, 'send' | 'region'> & Partial<Pick<BackendConnection, 'secure'>>;

/** What a request is about, as errors tell it: the place of an object or of a bucket. */
export type About = Partial<ObjectRef> & { readonly ref?: ObjectRef };

/** How one request is sent. */
export interface SendOptions {
  readonly signal: AbortSignal;
  /** Set for small answers to callers that may hold a connection of the downloads already. */
  readonly aside?: boolean | undefined;
}

/** How one request is sent and its answer read. */
export interface AskOptions extends SendOptions {
  /** The conditions of the request. Without any, no refusal can be due to one. */
  readonly conditions?: Conditions | undefined;
  /** Is called for every piece of a streamed document before it is read. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * The grammars of a store whose keys are paths and of one whose keys are names. Which one holds depends on what is
 * found out.
 */
export type Grammars = Readonly<Record<StoreNames['keys'], StoreGrammar>>;

const NOTHING_FOUND: StoreFindings = { capabilities: ASSUMED_CAPABILITIES, pending: [] };
const NO_BUCKETS: ReadonlySet<string> = new Set();

export interface StoreOptions {
  /** With whose rights the store is asked; by default with the gateway's own. */
  readonly identity?: Identity | undefined;
  /** Where memory for the backend's documents is reserved; by default none is reserved. */
  readonly budget?: Budget | undefined;
  /** For whom the store is asked; by default for the gateway itself. */
  readonly sharer?: Sharer | undefined;
  /** What the gateway knows about the store; by default nothing. */
  readonly findings?: StoreFindings | undefined;
  /** Buckets that the store has for purposes of its own, in lower case; by default none. */
  readonly reservedBuckets?: ReadonlySet<string> | undefined;
  /** The grammars, if they were made already for the same reserved buckets. */
  readonly grammars?: Grammars | undefined;
  /** How the store is asked to encrypt by itself; by default it is not asked. */
  readonly encrypter?: StoreEncrypter | undefined;
}

/**
 * Runs the rows of a backend's dialect. The store's grammar makes every name that is sent; the request has the rights
 * of an asker and uses the share of a sharer. Every answer that is not a success is thrown as the neutral error.
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
   * Sends the request of one row and reads its answer.
   * @param call undefined if the dialect has no such row
   * @throws GatewayError NotImplemented for a missing row; the client's error for a name that the store cannot have;
   * the neutral error for a refusal; BackendError for an answer that cannot be used
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

  /**
   * Sends the request of one row. The caller must read or discard the body of the successful answer.
   * @throws as `run` does
   */
  async succeed<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    options: AskOptions,
  ): Promise<IncomingResponse> {
    const response = await this.send(call, asked, options);
    if (isSuccess(response)) return response;
    throw explained(await this.refusal(response, asked), options.conditions);
  }

  /**
   * Sends the request of one row, and returns any answer. The store's grammar makes every identifier in `asked` here.
   */
  async send<Asked extends About>(
    call: Pick<BackendCall<Asked, unknown>, 'render'>,
    asked: Asked,
    { signal, aside }: SendOptions,
  ): Promise<IncomingResponse> {
    const { identity, sharer, findings } = this.options;
    const answer = await this.connection.send(call.render(this.made(asked)), { signal, aside, identity, sharer });
    // A preflight is answered by a store's CORS layer, which may not name the store as its other answers do.
    if ((call as object) !== this.dialect.calls.preflight) findings.answered?.(answer);
    return answer;
  }

  /** Reads an answer that is not a success, together with its body. */
  async refusal(response: IncomingResponse, asked: About): Promise<GatewayError | StoreClaim> {
    return this.refusalIn(response, await errorDocument(response), asked);
  }

  refusalIn(answer: AnswerHead, document: Buffer, asked: About): GatewayError | StoreClaim {
    return this.dialect.readError(answer, document, asked.ref ?? asked, this.options.identity?.asker);
  }

  /**
   * What clients are told of the encryption of an upload's parts; undefined where the store is not asked to encrypt.
   * @param _says what the store has said of it
   */
  toldOfUpload(_upload: StoreUpload, _says?: StoredEncryption): EncryptionFacts | undefined {
    return undefined;
  }

  /**
   * Has the store's grammar make every identifier in it.
   * @throws GatewayError for a name that the store cannot have
   */
  made<T extends object>(asked: T): ForStore<T> {
    const { findings, grammars } = this.options;
    return madeBy(findings.capabilities.verbatimKeys ? grammars.names : grammars.paths, asked);
  }

  /** Reads a document, and reserves memory as it comes, because a store may send megabytes to many callers at once. */
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

/**
 * Yields the pieces of a document, up to as many bytes as a document may have. `onBytes` is called for each before it
 * is read.
 */
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

/** Makes the condition that pins a request to the object that was seen, so that it succeeds on no other. */
export function pinTo({ etag }: { readonly etag: string }): Conditions {
  return { ifMatch: `"${etag}"` };
}

/** Reads the body of a refusal, up to a bound. */
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
