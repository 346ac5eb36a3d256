import { createHash } from 'node:crypto';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Content, contentOf, ExpectedObjects, numbersOf } from '../../support/expected-objects.ts';
import { payload } from '../../support/payload.ts';
import { type Outages, SETTLE_MILLISECONDS } from './outages.ts';
import { BUCKETS, type Door, type SoakStand } from './stand.ts';

const KEYS_A_LANE = 30;

/** Stands in every body that has room for it, at its beginning and within: wherever it is found, plaintext is. */
export const MARK = 'SOAK-PLAINTEXT-THAT-NOBODY-MAY-SEE';

/** Metadata that names the body it was sent with: an object is never put together from two. */
const SUM = 'sum';

export const metadataFor = (body: Buffer): Record<string, string> => ({ [SUM]: contentOf(body).sha256 });

/** What all lanes share. */
export class SoakRecord {
  readonly expected = new ExpectedObjects();
  readonly etags = new ExpectedEtags();
  readonly versions = new ExpectedVersions();
  readonly wrong: string[] = [];
  /** Versions whose deletion was in doubt, and of which MinIO lists what it cannot give. */
  readonly halfDeleted: string[] = [];
  readonly acknowledged: Record<string, number> = {};
  readonly doubtful: Record<string, number> = {};
  /** Uploads that were ended with no outage from their beginning on: nothing of them may be left anywhere. */
  readonly clean: { readonly bucket: string; readonly key: string; readonly uploadId: string }[] = [];
}

/** What clients must see where ETags are MD5s: of a body, or of its parts' MD5s. A copy has its source's. */
export class ExpectedEtags {
  readonly #bySum = new Map<string, Set<string>>();

  expect(body: Buffer, parts?: readonly Buffer[]): void {
    const sum = contentOf(body).sha256;
    const etag = parts === undefined ? md5(body) : `${md5(Buffer.concat(parts.map(md5Bytes)))}-${parts.length}`;
    this.#bySum.set(sum, (this.#bySum.get(sum) ?? new Set()).add(`"${etag}"`));
  }

  allows(body: Buffer, etag: string | undefined): boolean {
    return this.#bySum.get(contentOf(body).sha256)?.has(etag ?? '') === true;
  }
}

const md5Bytes = (bytes: Buffer) => createHash('md5').update(bytes).digest();
const md5 = (bytes: Buffer) => md5Bytes(bytes).toString('hex');

/** What every version of a key may be. */
export class ExpectedVersions {
  /** By key and version id; undefined once its deletion was acknowledged. */
  readonly acknowledged = new Map<string, Content | undefined>();
  /** Every content that was ever sent to a key. */
  readonly attempted = new Set<string>();
  readonly doubtfullyDeleted = new Set<string>();

  static nameOf(key: string, version: string | undefined): string {
    return JSON.stringify([key, version]);
  }
}

/** One client: keys of its own, which nobody else writes, and one thing at a time. */
export class Lane {
  readonly prefix: string;
  readonly bucket: string;
  readonly random: () => number;
  readonly stand: SoakStand;
  readonly record: SoakRecord;
  readonly outages: Outages;
  readonly #number: number;
  readonly #seed: number;
  readonly #unsettled = new Map<string, number>();
  #bodies = 0;

  constructor(
    number: number,
    common: {
      readonly stand: SoakStand;
      readonly record: SoakRecord;
      readonly outages: Outages;
      readonly seed: number;
    },
  ) {
    this.#number = number;
    this.#seed = common.seed;
    this.stand = common.stand;
    this.record = common.record;
    this.outages = common.outages;
    this.prefix = `lane-${number}/`;
    this.bucket = BUCKETS[number % BUCKETS.length] as string;
    this.random = numbersOf(common.seed * 1_000_000 + number * 100_000);
  }

  /** A gateway, another one each time: parts of an upload come to both. */
  get door(): Door {
    return this.stand.doors[this.random() < 0.5 ? 0 : 1];
  }

  get s3(): S3Client {
    return this.door.s3;
  }

  anyKey(): string {
    return `${this.prefix}${Math.floor(this.random() * KEYS_A_LANE)}`;
  }

  /** One of which it is known what the next write comes after. */
  writableKey(): string {
    for (;;) {
      const key = this.anyKey();
      if ((this.#unsettled.get(key) ?? 0) < Date.now()) return key;
    }
  }

  /** A body nobody sent before. */
  body(leastBytes: number, mostBytes: number): Buffer {
    const bytes = leastBytes + Math.floor(this.random() * (mostBytes - leastBytes + 1));
    const body = payload(bytes, this.#number * 1_000_003 + ++this.#bodies * 7 + this.#seed);
    const name = `${MARK} ${this.#seed}/${this.#number}/${this.#bodies};`;
    for (const at of [0, Math.floor(bytes / 2)]) if (at + name.length <= bytes) body.write(name, at, 'latin1');
    return body;
  }

  async write(key: string, body: Buffer | undefined, send: () => Promise<unknown>): Promise<void> {
    const content = body && contentOf(body);
    this.record.expected.attempt(key, content);
    this.#unsettled.set(key, Number.POSITIVE_INFINITY);
    let settled = 0;
    try {
      await send();
      this.record.expected.acknowledge(key, content);
    } catch (error) {
      settled = Date.now() + SETTLE_MILLISECONDS;
      throw error;
    } finally {
      this.#unsettled.set(key, settled);
    }
  }

  /** An answer that is whole to the client must be right, whatever happens meanwhile. */
  async look(key: string, s3 = this.s3): Promise<Buffer | undefined> {
    const { expected, wrong } = this.record;
    const found = await readObject(s3, { Bucket: this.bucket, Key: key });
    if (!expected.allows(key, found && contentOf(found.body))) {
      wrong.push(`${key} gave ${found?.body.length ?? 'no'} bytes instead of ${expected.describe(key)}`);
    }
    if (found?.mixed === true) wrong.push(`${key} has the metadata of another body`);
    return found?.body;
  }
}

export interface ReadObject {
  readonly body: Buffer;
  /** It bears the name of another body. */
  readonly mixed: boolean;
}

export async function readObject(
  s3: S3Client,
  asked: { Bucket: string; Key: string; VersionId?: string },
): Promise<ReadObject | undefined> {
  try {
    const answer = await s3.send(new GetObjectCommand(asked));
    const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    const sum = answer.Metadata?.[SUM];
    return { body, mixed: sum !== undefined && sum !== contentOf(body).sha256 };
  } catch (error) {
    if ((error as Error).name === 'NoSuchKey' || (error as Error).name === 'NoSuchVersion') return undefined;
    throw error;
  }
}
