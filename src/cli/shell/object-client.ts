import type { BackendConnection } from '../../backend/connection.ts';
import type { BackDialect } from '../../dialects/back-dialect.ts';
import { type ForStore, madeBy, type StoreGrammar } from '../../dialects/identifiers.ts';
import { explained, readAcknowledged } from '../../dialects/store-claim.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { ListObjects } from '../../operations/operation.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { IncomingResponse, OutgoingRequest } from '../../wire/message.ts';

const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/**
 * Small requests of the commands: to the backend, to see what lies there, and to the gateway itself, which looks like
 * any other store to the dialect that signs.
 */
export class ObjectClient {
  readonly #back: BackDialect;
  readonly #connection: Pick<BackendConnection, 'send'>;
  /** What an operator names is theirs to name. */
  readonly #grammar: StoreGrammar;

  constructor(parts: { readonly back: BackDialect; readonly connection: Pick<BackendConnection, 'send'> }) {
    this.#back = parts.back;
    this.#connection = parts.connection;
    this.#grammar = parts.back.grammar({ keys: 'names', reservedBuckets: new Set() });
  }

  #made<T extends object>(asked: T): ForStore<T> {
    return madeBy(this.#grammar, asked);
  }

  /** @throws GatewayError, as every method here */
  async put(
    ref: ObjectRef,
    body: Buffer,
    {
      conditions = {},
      ...described
    }: Partial<Pick<ObjectMetadata, 'content' | 'user'>> & { readonly conditions?: Conditions },
  ): Promise<void> {
    const metadata = { content: {}, user: [], ...described };
    await this.#ask(this.#back.put(this.#made({ ref, metadata, conditions, body })), ref);
  }

  /** An upload that breaks off halfway, as when its client goes away. */
  async putTorn(ref: ObjectRef, body: Buffer): Promise<void> {
    const metadata = { content: {}, user: [] };
    const torn = { bytes: body.length, source: brokenOff(body.subarray(0, body.length / 2)) };
    await this.#ask(this.#back.put(this.#made({ ref, metadata, conditions: {}, body: torn })), ref).catch(
      () => undefined,
    );
  }

  /** A multipart upload of one part, under conditions; aborted when they fail. */
  async putInParts(ref: ObjectRef, body: Buffer, conditions: Conditions): Promise<void> {
    const metadata = { content: {}, user: [] };
    const begun = await this.#ask(this.#back.createUpload(this.#made(ref), metadata), ref);
    const upload = this.#made({ ref, uploadId: this.#back.readUploadId(begun.document) });
    const { uploadId } = upload;
    try {
      const { response } = await this.#ask(this.#back.uploadPart(upload.ref, uploadId, 1, body), ref);
      const parts = [{ partNumber: 1, etag: this.#back.readAck(response).etag }];
      const { response: head, document } = await this.#ask(
        this.#back.completeUpload(upload.ref, uploadId, parts, conditions),
        ref,
      );
      readAcknowledged(() => this.#back.readComplete(head, document), conditions);
    } catch (error) {
      await this.#ask(this.#back.abortUpload(upload.ref, uploadId), ref).catch(() => undefined);
      throw error;
    }
  }

  async get(ref: ObjectRef): Promise<{ readonly object: StoredObject; readonly bytes: Buffer }> {
    const { response, document } = await this.#ask(this.#back.get(this.#made({ ref, conditions: {} })), ref);
    return { object: this.#back.readObject(response), bytes: document };
  }

  /** Stored bytes first..last, inclusive, fewer past the end. */
  async range(ref: ObjectRef, first: number, last: number): Promise<Buffer> {
    const request = this.#back.get(this.#made({ ref, range: { first, last }, conditions: {} }));
    return (await this.#ask(request, ref)).document;
  }

  /** undefined when there is no such object. */
  async head(ref: ObjectRef): Promise<StoredObject | undefined> {
    try {
      const { response } = await this.#ask(this.#back.head(this.#made({ ref, conditions: {} })), ref);
      return this.#back.readObject(response);
    } catch (error) {
      if (error instanceof GatewayError && (error.code === 'NoSuchKey' || error.code === 'NoSuchBucket')) {
        return undefined;
      }
      throw error;
    }
  }

  /** @throws GatewayError PreconditionFailed, if the store reads conditions on deletions */
  async delete(ref: ObjectRef, conditions: Conditions = {}): Promise<void> {
    await this.#ask(this.#back.delete(this.#made(ref), conditions), ref);
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#ask(this.#back.createBucket(this.#made({ bucket }).bucket, undefined), { bucket });
  }

  async deleteBucket(bucket: string): Promise<void> {
    await this.#ask(this.#back.deleteBucket(this.#made({ bucket }).bucket), { bucket });
  }

  async hasBucket(bucket: string): Promise<boolean> {
    try {
      await this.#ask(this.#back.headBucket(this.#made({ bucket }).bucket), { bucket });
      return true;
    } catch (error) {
      // A HEAD's error has no document, so a missing bucket may look like a missing key.
      if (error instanceof GatewayError && (error.code === 'NoSuchBucket' || error.code === 'NoSuchKey')) return false;
      throw error;
    }
  }

  async bucketNames(): Promise<string[]> {
    const { document } = await this.#ask(this.#back.listBuckets(), {});
    return this.#back.readBuckets(document).map(({ name }) => name);
  }

  /** The answer to a small request, for its headers. */
  async clock(): Promise<Date | undefined> {
    const response = await this.#connection.send(this.#back.listBuckets(), {});
    response.discard();
    const date = new Date(response.headers.get('date') ?? '');
    return Number.isNaN(date.getTime()) ? undefined : date;
  }

  /** Whether anything is kept in a bucket, older versions included. */
  async holdsObjects(bucket: string): Promise<boolean> {
    const { document } = await this.#ask(this.#back.list(this.#made(oneKey(bucket))), { bucket });
    if ((await this.#back.readListing(each(document))).entries.length > 0) return true;
    try {
      return await this.#holdsVersions(bucket);
    } catch (error) {
      // A store without versions has no older ones.
      if (error instanceof GatewayError && error.code === 'NotImplemented') return false;
      throw error;
    }
  }

  /** Delete markers are nothing, but what they hide comes behind them. */
  async #holdsVersions(bucket: string): Promise<boolean> {
    const asked = { kind: 'ListObjectVersions', bucket, prefix: '', delimiter: '', maxKeys: 1000 } as const;
    let keyMarker = '';
    let versionIdMarker = '';
    for (;;) {
      const request = this.#back.listVersions(this.#made({ ...asked, keyMarker, versionIdMarker, urlEncoded: true }));
      const page = await this.#back.readVersionListing(each((await this.#ask(request, { bucket })).document));
      if (page.entries.some((entry) => !entry.deleteMarker)) return true;
      if (!page.truncated) return false;
      const { nextKeyMarker, nextVersionIdMarker = '' } = page;
      // Where a store does not say how to go on, the rest is unknown: better a bucket too many than lost keys.
      if (nextKeyMarker === undefined) return true;
      if (nextKeyMarker === keyMarker && nextVersionIdMarker === versionIdMarker) return true;
      keyMarker = nextKeyMarker;
      versionIdMarker = nextVersionIdMarker;
    }
  }

  async #ask(
    request: OutgoingRequest,
    ref: { readonly bucket?: string; readonly key?: string },
  ): Promise<{ readonly response: IncomingResponse; readonly document: Buffer }> {
    const response = await this.#connection.send(request, {});
    const document = await collect(response.body, MAX_DOCUMENT_BYTES, () => {
      return new GatewayError('BackendError', 'The answer is larger than expected.', { source: 'backend' });
    });
    if (response.status >= 300) throw explained(this.#back.readError(response, document, ref), ASKED);
    return { response, document };
  }
}

/** Whoever probes a store asks for conditions to see what it makes of them. */
const ASKED: Conditions = { ifMatch: '*' };

async function* brokenOff(beginning: Buffer): AsyncGenerator<Buffer, void, void> {
  yield beginning;
  throw new Error('broken off');
}

async function* each(document: Buffer): AsyncGenerator<Buffer, void, void> {
  yield document;
}

function oneKey(bucket: string): ListObjects {
  return {
    kind: 'ListObjects',
    bucket,
    form: 2,
    prefix: '',
    delimiter: '',
    after: '',
    continuationToken: undefined,
    maxKeys: 1,
    urlEncoded: true,
    withOwner: false,
  };
}
