import type { StoredAck } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import { allKeysOf } from '../operations/listing.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import type { Store, StoredContent } from '../store/store.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { PartRecord } from './upload-record.ts';

/** The beginning of the names of gateways' staging buckets, unless an operator chose another name. */
export const STAGING_PREFIX = 'sealgate-staging-';

/** Whether a bucket is a gateway's staging bucket. @param own the staging bucket of this gateway */
export function isForStaging(bucket: string, own: string): boolean {
  return bucket === own || bucket.toLowerCase().startsWith(STAGING_PREFIX);
}

/**
 * The keys of staged parts. Only these are swept, so that nothing is lost where an operator chose a bucket that holds
 * other data.
 */
const STAGED_KEY = /^([0-9a-f]{64})\/[0-9]{5}-[0-9a-f]{32}$/;

/**
 * The regions for which CreateBucket names no location: it has none, or S3 takes it as the default and refuses the
 * name.
 */
const UNNAMED_REGIONS: ReadonlySet<string> = new Set(['', 'auto', 'us-east-1']);

export interface SweepOptions {
  /** Only parts that were stored before this are removed. */
  readonly before: Date;
  /** Whether the upload with this state (`stateId`) is under way. Its parts then stay, however old they are. */
  readonly isUnderWay: (uploadState: string) => Promise<boolean>;
}

/** Names a staged part of an upload. The salt tells one attempt at the part from another. */
type StagedPart = Pick<PartRecord, 'partNumber' | 'partSalt'>;

/**
 * Keeps sealed parts that are smaller than the smallest part that the backend takes, in a bucket that no tenant
 * reaches. They are removed when their upload is completed or aborted. What remains after that is swept when it is old.
 */
export class Staging {
  readonly bucket: string;
  readonly #store: Store;
  /** Resolves once the bucket was found or made. All `Staging`s of one bucket share it. */
  readonly #bucketState: { ready: Promise<void> | undefined };

  constructor(
    options: { readonly bucket: string; readonly store: Store },
    bucketState: { ready: Promise<void> | undefined } = { ready: undefined },
  ) {
    this.bucket = options.bucket;
    this.#store = options.store;
    this.#bucketState = bucketState;
  }

  /** The same bucket, with the memory and the connections of one sharer. */
  sharedBy(sharer: Sharer, budget: Budget): Staging {
    return new Staging({ bucket: this.bucket, store: this.#store.sharedBy(sharer, budget) }, this.#bucketState);
  }

  /**
   * Stages a part.
   * @param uploadState the name of the upload's state (`stateId`)
   * @throws GatewayError BackendError where there is no bucket and none can be made, BackendUnavailable
   */
  async put(uploadState: string, part: StagedPart, body: OutgoingBody, signal: AbortSignal): Promise<StoredAck> {
    await this.makeReady();
    const metadata = { content: { contentType: 'application/octet-stream' }, user: [] };
    try {
      return await this.#store.put({ ref: this.#ref(uploadState, part), metadata, conditions: {}, body }, signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'NoSuchBucket') throw error;
      this.#bucketState.ready = undefined;
      // A client must not hear NoSuchBucket of a bucket that is not its own. When it tries again, the bucket is made.
      throw new GatewayError('BackendUnavailable', 'The gateway’s bucket for small parts was removed. Try again.', {
        source: 'backend',
        cause: error,
      });
    }
  }

  /** Reads a staged part. @throws GatewayError NoSuchKey, or PreconditionFailed where it is not the recorded attempt */
  get(uploadState: string, part: StagedPart & Pick<PartRecord, 'etag'>, signal: AbortSignal): Promise<StoredContent> {
    const conditions = { ifMatch: `"${part.etag}"` };
    return this.#store.get({ ref: this.#ref(uploadState, part), conditions }, signal);
  }

  /** Removes staged parts. Failures are ignored, because what remains is swept later. */
  async remove(uploadState: string, parts: readonly StagedPart[], signal: AbortSignal): Promise<void> {
    const targets = parts.map((part) => ({ key: this.#ref(uploadState, part).key }));
    const { deletionsAtOnce } = this.#store.limits;
    for (let at = 0; at < targets.length; at += deletionsAtOnce) {
      await this.#store.deleteMany(this.bucket, targets.slice(at, at + deletionsAtOnce), signal).catch(() => undefined);
    }
  }

  /**
   * Deletes the staged parts that are old and whose upload is over.
   * @returns how many were deleted
   */
  async sweep({ before, isUnderWay }: SweepOptions, signal: AbortSignal): Promise<number> {
    let swept = 0;
    let after = '';
    for (;;) {
      const page = await this.#store
        .list(allKeysOf(this.bucket, { after, maxKeys: this.#store.limits.entriesAPage }), signal)
        .catch(emptyIfNoBucket);
      const old = page.entries.filter(({ lastModified }) => lastModified < before);
      const targets = await abandoned(old, isUnderWay);
      if (targets.length > 0) await this.#store.deleteMany(this.bucket, targets, signal);
      swept += targets.length;
      const last = page.entries.at(-1)?.key;
      if (!page.truncated || last === undefined) return swept;
      after = last;
    }
  }

  /** The place of a staged part. It contains the part's random salt, so two attempts never have the same place. */
  #ref(uploadState: string, { partNumber, partSalt }: StagedPart): { readonly bucket: string; readonly key: string } {
    const key = `${uploadState}/${String(partNumber).padStart(5, '0')}-${partSalt.toString('hex')}`;
    return { bucket: this.bucket, key };
  }

  /**
   * Makes the bucket if it is missing. The first call does it, and later ones wait for that.
   * @throws GatewayError BackendError where the bucket is somebody else's, or can neither be found nor made
   */
  async makeReady(): Promise<void> {
    this.#bucketState.ready ??= this.#makeBucket();
    try {
      await this.#bucketState.ready;
    } catch (error) {
      this.#bucketState.ready = undefined;
      throw error;
    }
  }

  /**
   * Whether the bucket is there. It is not made if it is missing.
   * @throws GatewayError BackendError where it belongs to somebody else, if the store tells
   */
  async standing(signal: AbortSignal): Promise<'absent' | 'there'> {
    if (!(await this.#isThere(signal))) return 'absent';
    await this.#makeBucket();
    return 'there';
  }

  /**
   * Asks the store to make the bucket, even if it is there already: the refusal tells whose it is, and a HEAD would
   * not. On AWS all customers share the names of buckets, so a bucket of this name could be a stranger's, and open to
   * writes. If the gateway's key may not make buckets, its operator must have made this one.
   */
  async #makeBucket(): Promise<void> {
    // The signal is no request's, because several requests may be waiting for the bucket.
    const { signal } = new AbortController();
    const { region } = this.#store;
    const location = UNNAMED_REGIONS.has(region) ? undefined : region;
    const asked = { bucket: this.bucket, location };
    try {
      await this.#store.buckets.create({ kind: 'CreateBucket', ...asked }, signal);
    } catch (error) {
      const code = error instanceof GatewayError ? error.code : undefined;
      if (code === 'BucketAlreadyOwnedByYou') return;
      if (code === 'BucketAlreadyExists') throw foreignBucket(this.bucket, error);
      if (code !== 'AccessDenied') throw error;
      if (!(await this.#isThere(signal))) throw noBucket(this.bucket, error);
    }
  }

  async #isThere(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#store.buckets.head(this.bucket, signal);
      return true;
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'NoSuchBucket') return false;
      throw error instanceof GatewayError && error.code === 'AccessDenied' ? foreignBucket(this.bucket, error) : error;
    }
  }
}

type StagedEntry = { readonly key: string };

/** Chooses the staged parts whose upload is over. Each upload is looked up once. */
async function abandoned(
  entries: readonly StagedEntry[],
  isUnderWay: SweepOptions['isUnderWay'],
): Promise<StagedEntry[]> {
  const ofUploads = Map.groupBy(entries, ({ key }) => STAGED_KEY.exec(key)?.[1]);
  const found: StagedEntry[] = [];
  for (const [uploadState, parts] of ofUploads) {
    if (uploadState === undefined || (await isUnderWay(uploadState))) continue;
    found.push(...parts.map(({ key }) => ({ key })));
  }
  return found;
}

function foreignBucket(bucket: string, cause: unknown): GatewayError {
  return new GatewayError(
    'BackendError',
    `The gateway’s bucket for small parts of uploads, ${bucket}, is there and not its own: nothing is put into it. ` +
      'Its operator must name another, by uploads.stagingBucket.',
    { source: 'backend', cause },
  );
}

function noBucket(bucket: string, cause: unknown): GatewayError {
  return new GatewayError(
    'BackendError',
    `The gateway cannot make its bucket for small parts of uploads, ${bucket}. Its operator must make it, or set ` +
      'uploads.stagingBucket.',
    { source: 'backend', cause },
  );
}

const NOTHING = { entries: [], truncated: false } as const;

function emptyIfNoBucket(error: unknown): Pick<Awaited<ReturnType<Store['list']>>, 'entries' | 'truncated'> {
  if (error instanceof GatewayError && error.code === 'NoSuchBucket') return NOTHING;
  throw error;
}
