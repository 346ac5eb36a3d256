import type { StoredAck } from '../dialects/dialect.ts';
import { GatewayError } from '../errors.ts';
import type { ListObjects } from '../operations/operation.ts';
import type { PartRecord } from '../uploads/upload-record.ts';
import { HeaderList } from '../wire/headers.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { Store, StoredContent } from './store.ts';

/** S3's limit for one DeleteObjects. */
const DELETE_AT_ONCE = 1000;

/** What #ref makes: nothing else is swept out, so that a setting that names a bucket with data in it costs none of it. */
const STAGED_KEY = /^[0-9a-f]{32}\/[0-9]{5}-[0-9a-f]{32}$/;

/** Which staged part: the upload it belongs to (stateId()), and the attempt. */
type StagedPart = Pick<PartRecord, 'partNumber' | 'partSalt'>;

/**
 * Parts too small for the backend's own uploads, sealed like every part, in a bucket that no tenant reaches. They leave
 * it when their upload is completed or aborted; what is left after that is swept out by its age.
 */
export class Staging {
  readonly bucket: string;
  readonly #store: Store;
  #ready: Promise<void> | undefined;

  constructor(options: { readonly bucket: string; readonly store: Store }) {
    this.bucket = options.bucket;
    this.#store = options.store;
  }

  /** @throws GatewayError BackendError when there is no such bucket and none can be made, BackendUnavailable */
  async put(uploadState: string, part: StagedPart, body: OutgoingBody, signal: AbortSignal): Promise<StoredAck> {
    await this.#makeReady();
    const metadata = { content: { contentType: 'application/octet-stream' }, user: [], vendor: new HeaderList() };
    try {
      return await this.#store.put({ ref: this.#ref(uploadState, part), metadata, conditions: {}, body }, signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'NoSuchBucket') throw error;
      this.#ready = undefined;
      // Not the client's bucket: for the client it is a matter of trying again.
      throw new GatewayError('BackendUnavailable', 'The gateway’s bucket for small parts was removed. Try again.', {
        source: 'backend',
        cause: error,
      });
    }
  }

  /** @throws GatewayError NoSuchKey, PreconditionFailed when it is not the one that was recorded */
  get(uploadState: string, part: StagedPart & Pick<PartRecord, 'etag'>, signal: AbortSignal): Promise<StoredContent> {
    const conditions = { ifMatch: `"${part.etag}"` };
    return this.#store.get({ ref: this.#ref(uploadState, part), conditions }, signal);
  }

  /** Best effort: what stays is swept out later. */
  async remove(uploadState: string, parts: readonly StagedPart[], signal: AbortSignal): Promise<void> {
    const targets = parts.map((part) => ({ key: this.#ref(uploadState, part).key }));
    for (let at = 0; at < targets.length; at += DELETE_AT_ONCE) {
      await this.#store.deleteMany(this.bucket, targets.slice(at, at + DELETE_AT_ONCE), signal).catch(() => undefined);
    }
  }

  /**
   * Deletes the staged parts that were put before a time.
   * @returns how many
   */
  async sweep(before: Date, signal: AbortSignal): Promise<number> {
    let swept = 0;
    let after = '';
    for (;;) {
      const page = await this.#store.list(pageAfter(this.bucket, after), signal).catch(noneWithoutBucket);
      const old = page.entries.filter(({ key, lastModified }) => STAGED_KEY.test(key) && lastModified < before);
      const targets = old.map(({ key }) => ({ key }));
      if (targets.length > 0) await this.#store.deleteMany(this.bucket, targets, signal);
      swept += old.length;
      const last = page.entries.at(-1)?.key;
      if (!page.truncated || last === undefined) return swept;
      after = last;
    }
  }

  /** A part's salt is random: nobody guesses the name, and two attempts never share one. */
  #ref(uploadState: string, { partNumber, partSalt }: StagedPart): { readonly bucket: string; readonly key: string } {
    const key = `${uploadState.slice(0, 32)}/${String(partNumber).padStart(5, '0')}-${partSalt.toString('hex')}`;
    return { bucket: this.bucket, key };
  }

  async #makeReady(): Promise<void> {
    this.#ready ??= this.#makeBucket();
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      throw error;
    }
  }

  async #makeBucket(): Promise<void> {
    // Not a request's: others wait for it too.
    const { signal } = new AbortController();
    try {
      if (await this.#isThere(signal)) return;
      const asked = { bucket: this.bucket, location: undefined, vendor: new HeaderList() };
      await this.#store.createBucket({ kind: 'CreateBucket', ...asked }, signal);
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : undefined;
      if (code === 'BucketAlreadyOwnedByYou') return; // another gateway was first
      // Where all the world shares the names of buckets, somebody else's may be called so.
      throw code === 'AccessDenied' || code === 'BucketAlreadyExists' ? noBucket(this.bucket, error) : error;
    }
  }

  async #isThere(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#store.headBucket(this.bucket, signal);
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'NoSuchBucket') return false;
      throw error;
    }
  }
}

function noBucket(bucket: string, cause: unknown): GatewayError {
  return new GatewayError(
    'BackendError',
    `The gateway cannot make its bucket for small parts of uploads, ${bucket}. Its operator must make it, or set uploads.stagingBucket.`,
    { source: 'backend', cause },
  );
}

const NOTHING = { entries: [], truncated: false } as const;

function noneWithoutBucket(error: unknown): Pick<Awaited<ReturnType<Store['list']>>, 'entries' | 'truncated'> {
  if (error instanceof GatewayError && error.code === 'NoSuchBucket') return NOTHING;
  throw error;
}

function pageAfter(bucket: string, after: string): ListObjects {
  return {
    kind: 'ListObjects',
    bucket,
    form: 2,
    prefix: '',
    delimiter: '',
    after,
    continuationToken: undefined,
    maxKeys: 1000,
    urlEncoded: true,
    withOwner: false,
  };
}
