import type { StoredAck } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import { allKeysOf } from '../operations/listing.ts';
import type { Budget } from '../shares/memory-budget.ts';
import type { Sharer } from '../shares/sharer.ts';
import type { Store, StoredContent } from '../store/store.ts';
import type { OutgoingBody } from '../wire/message.ts';
import type { PartRecord } from './upload-record.ts';

/** Begins the name of every gateway's bucket for staged parts, unless its operator named another. */
export const STAGING_PREFIX = 'sealgate-staging-';

/** @param own the bucket that this gateway stages in */
export function isForStaging(bucket: string, own: string): boolean {
  return bucket === own || bucket.toLowerCase().startsWith(STAGING_PREFIX);
}

/** What #ref makes: nothing else is swept out, so that a setting that names a bucket with data in it costs none of it. */
const STAGED_KEY = /^([0-9a-f]{64})\/[0-9]{5}-[0-9a-f]{32}$/;

/** Where nobody says a region, or the one that buckets are made in without being asked, S3 wants none to be named. */
const UNNAMED_REGIONS: ReadonlySet<string> = new Set(['', 'auto', 'us-east-1']);

export interface SweepOptions {
  /** Parts that were put after this stay. */
  readonly before: Date;
  /** Whether the upload with this state (stateId()) is under way: then its parts stay however old they are. */
  readonly isUnderWay: (uploadState: string) => Promise<boolean>;
}

/** Which staged part: the upload it belongs to (stateId()), and the attempt. */
type StagedPart = Pick<PartRecord, 'partNumber' | 'partSalt'>;

/**
 * Parts too small for the backend's own uploads, sealed like every part, in a bucket that no tenant reaches. They leave
 * it when their upload is completed or aborted; what is left after that is swept out by its age.
 */
export class Staging {
  readonly bucket: string;
  readonly #store: Store;
  /** Whether the bucket was found or made: the same for all who share it. */
  readonly #bucketState: { ready: Promise<void> | undefined };

  constructor(
    options: { readonly bucket: string; readonly store: Store },
    bucketState: { ready: Promise<void> | undefined } = { ready: undefined },
  ) {
    this.bucket = options.bucket;
    this.#store = options.store;
    this.#bucketState = bucketState;
  }

  /** The same bucket, used for one sharer. */
  sharedBy(sharer: Sharer, budget: Budget): Staging {
    return new Staging({ bucket: this.bucket, store: this.#store.sharedBy(sharer, budget) }, this.#bucketState);
  }

  /** @throws GatewayError BackendError when there is no such bucket and none can be made, BackendUnavailable */
  async put(uploadState: string, part: StagedPart, body: OutgoingBody, signal: AbortSignal): Promise<StoredAck> {
    await this.makeReady();
    const metadata = { content: { contentType: 'application/octet-stream' }, user: [] };
    try {
      return await this.#store.put({ ref: this.#ref(uploadState, part), metadata, conditions: {}, body }, signal);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'NoSuchBucket') throw error;
      this.#bucketState.ready = undefined;
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
    const { deletionsAtOnce } = this.#store.limits;
    for (let at = 0; at < targets.length; at += deletionsAtOnce) {
      await this.#store.deleteMany(this.bucket, targets.slice(at, at + deletionsAtOnce), signal).catch(() => undefined);
    }
  }

  /**
   * Deletes the staged parts that are old, and whose upload is over.
   * @returns how many
   */
  async sweep({ before, isUnderWay }: SweepOptions, signal: AbortSignal): Promise<number> {
    let swept = 0;
    let after = '';
    for (;;) {
      const page = await this.#store
        .list(allKeysOf(this.bucket, { after, maxKeys: this.#store.limits.entriesAPage }), signal)
        .catch(noneWithoutBucket);
      const old = page.entries.filter(({ lastModified }) => lastModified < before);
      const targets = await abandoned(old, isUnderWay);
      if (targets.length > 0) await this.#store.deleteMany(this.bucket, targets, signal);
      swept += targets.length;
      const last = page.entries.at(-1)?.key;
      if (!page.truncated || last === undefined) return swept;
      after = last;
    }
  }

  /** A part's salt is random: nobody guesses the name, and two attempts never share one. */
  #ref(uploadState: string, { partNumber, partSalt }: StagedPart): { readonly bucket: string; readonly key: string } {
    const key = `${uploadState}/${String(partNumber).padStart(5, '0')}-${partSalt.toString('hex')}`;
    return { bucket: this.bucket, key };
  }

  /**
   * Makes the bucket where it is not there, the first time that it is needed.
   * @throws GatewayError BackendError when it is somebody else's, or can neither be found nor made
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
   * Whether the bucket is there, and this key's own where the store tells. Makes none.
   * @throws GatewayError BackendError when it is somebody else's
   */
  async standing(signal: AbortSignal): Promise<'absent' | 'there'> {
    if (!(await this.#isThere(signal))) return 'absent';
    await this.#makeBucket();
    return 'there';
  }

  /**
   * Made even when it is there: of a bucket that anybody may write to, HEAD would not tell whose it is, and where all
   * the world shares the names of buckets it may be a stranger's. To make it again is refused in words that tell. A key
   * that may make no buckets has one that its operator made.
   */
  async #makeBucket(): Promise<void> {
    // Not a request's: others wait for it too.
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

/** Of these, the staged parts whose upload is over. Each upload is asked for once. */
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
    `The gateway cannot make its bucket for small parts of uploads, ${bucket}. Its operator must make it, or set uploads.stagingBucket.`,
    { source: 'backend', cause },
  );
}

const NOTHING = { entries: [], truncated: false } as const;

function noneWithoutBucket(error: unknown): Pick<Awaited<ReturnType<Store['list']>>, 'entries' | 'truncated'> {
  if (error instanceof GatewayError && error.code === 'NoSuchBucket') return NOTHING;
  throw error;
}
