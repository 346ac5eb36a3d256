import type { BackendConnection } from '../backend/connection.ts';
import type { Identity } from '../backend/identity.ts';
import type { BackDialect } from '../dialects/back-dialect.ts';
import { type ForStore, madeBy, type StoreGrammar, type StoreNames } from '../dialects/identifiers.ts';
import { explained, readAcknowledged, type StoreClaim } from '../dialects/store-claim.ts';
import type { StoredAck } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { DeleteFailure } from '../operations/answer.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { DeleteTarget } from '../operations/operation.ts';
import { GrowingReservation } from '../shares/growing-reservation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { Conditions } from '../wire/conditions.ts';
import type { ByteSource, IncomingResponse, OutgoingRequest } from '../wire/message.ts';

/** A listing of 1,000 keys of 1,024 bytes, every byte an entity or percent-encoded, with room to spare. */
const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 256 * 1024;
/** What a write is answered: a key, a place, an ETag, and the blanks by which a store says that it still works at it. */
const MAX_ACK_BYTES = 256 * 1024;

/** Documents up to here are not reserved for: as many as there are connections come to little, and most are smaller. */
const UNRESERVED_BYTES = 64 * 1024;
/** A document as its pieces came, in one, as text, and as the values that are read from it. */
const DOCUMENT_FORMS = 4;

/** `aside`: a few bytes, for whoever may hold a download already. */
export type SendOptions = { readonly signal: AbortSignal; readonly aside?: boolean };

/** `conditions` are those of the request: without any, no refusal can be for one. */
export type AskOptions = SendOptions & { readonly conditions?: Conditions };

/** What is known of the store's names, and the grammar that comes of it. */
export interface Naming {
  readonly names: StoreNames;
  readonly grammar: StoreGrammar;
}

const CAREFUL_NAMES: StoreNames = { keys: 'paths', reservedBuckets: new Set() };

export interface StoreOptions {
  /** With whose rights it asks. Default: the gateway's own. */
  readonly identity?: Identity | undefined;
  /** Where the backend's documents are reserved for; default: nowhere. */
  readonly budget?: Budget | undefined;
  /** For whom it asks. Default: the gateway's own business. */
  readonly sharer?: Sharer | undefined;
  /** What the store takes for names. Default: as little as any store. */
  readonly names?: StoreNames | undefined;
  /** The same with the grammar that comes of it, where it was made already. */
  readonly naming?: Naming | undefined;
}

/**
 * How the backend is asked, whatever it is asked for: under names that its grammar made, with somebody's rights, and
 * from somebody's share. Every answer that is not success is thrown as the neutral error.
 */
export class StoreCalls {
  readonly back: BackDialect;
  readonly connection: BackendConnection;
  readonly options: StoreOptions & { readonly naming: Naming };

  constructor(back: BackDialect, connection: BackendConnection, options: StoreOptions) {
    this.back = back;
    this.connection = connection;
    const { names = CAREFUL_NAMES } = options;
    this.options = { ...options, naming: options.naming ?? { names, grammar: back.grammar(names) } };
  }

  /** Every identifier in it read by the store's grammar. @throws GatewayError */
  made<T extends object>(asked: T): ForStore<T> {
    return madeBy(this.options.naming.grammar, asked);
  }

  /** Each target is refused for itself: of a thousand keys one that no store takes keeps the others from nothing. */
  madeEach(targets: readonly DeleteTarget[]): {
    readonly made: readonly ForStore<DeleteTarget>[];
    readonly failures: readonly DeleteFailure[];
  } {
    const made: ForStore<DeleteTarget>[] = [];
    const failures: DeleteFailure[] = [];
    for (const target of targets) {
      try {
        made.push(this.made(target));
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const { key, versionId } = target;
        failures.push({ key, versionId, code: 'InvalidArgument', message: error.message });
      }
    }
    return { made, failures };
  }

  /** Of a write whose answer is its head. */
  async acknowledged(request: OutgoingRequest, ref: ObjectRef, options: AskOptions): Promise<StoredAck> {
    const response = await this.succeed(request, ref, options);
    response.discard();
    return this.back.readAck(response);
  }

  /** Of a write whose answer is a document, which may be an error's behind a status of success. */
  async acknowledgedIn<T>(
    request: OutgoingRequest,
    ref: ObjectRef,
    options: AskOptions & { readonly conditions: Conditions },
    read: (response: IncomingResponse, document: Buffer) => T,
  ): Promise<T> {
    const response = await this.succeed(request, ref, options);
    const document = await collect(response.body, MAX_ACK_BYTES, documentTooLarge);
    return readAcknowledged(() => read(response, document), options.conditions);
  }

  /** Reads a document, and reserves for it as it comes: a store may send megabytes, to many at once. */
  async document<T>(
    request: OutgoingRequest,
    ref: Partial<ObjectRef>,
    signal: AbortSignal,
    read: (document: Buffer) => T,
  ): Promise<T> {
    const response = await this.succeed(request, ref, { signal });
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

  async succeed(
    request: OutgoingRequest,
    ref: Partial<ObjectRef>,
    { conditions, ...options }: AskOptions,
  ): Promise<IncomingResponse> {
    const response = await this.send(request, options);
    if (isSuccess(response)) return response;
    throw explained(await this.refusal(response, ref), conditions);
  }

  send(request: OutgoingRequest, options: SendOptions): Promise<IncomingResponse> {
    const { identity, sharer } = this.options;
    return this.connection.send(request, { ...options, identity, sharer });
  }

  /** What an answer that is no success says; its body is read for it. */
  async refusal(response: IncomingResponse, ref: Partial<ObjectRef>): Promise<GatewayError | StoreClaim> {
    return this.back.readError(response, await errorDocument(response), ref, this.options.identity?.asker);
  }
}

export function isSuccess({ status }: IncomingResponse): boolean {
  return status >= 200 && status < 300;
}

/** The pieces of a document, up to as many as a document may have. `onBytes` is told of each before it is read. */
export async function* bounded(
  source: ByteSource,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > MAX_DOCUMENT_BYTES) throw documentTooLarge();
    onBytes(chunk.length);
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

function documentTooLarge(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered a document larger than the gateway takes.', {
    source: 'backend',
  });
}
