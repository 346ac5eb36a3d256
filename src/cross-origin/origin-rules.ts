import { LRUCache } from 'lru-cache';
import { ANONYMOUS } from '../backend/identity.ts';
import { GatewayError } from '../errors.ts';
import type { CrossOriginAnswered } from '../operations/answer.ts';
import type { Resource } from '../operations/object.ts';
import type { Store } from '../store/store.ts';
import type { Directory } from '../tenants/directory.ts';
import { policyFor } from '../tenants/tenant.ts';
import { isForStaging } from '../uploads/staging.ts';
import { letsRead } from '../wire/cross-origin.ts';
import { HeaderList } from '../wire/headers.ts';

/** How long the store's word is kept: rules that are changed past this gateway take so long to be seen. */
const KEEP_SECONDS = 5;
/** When it had no word: down, busy, or without rules. */
const KEEP_FAILURE_SECONDS = 1;
/** An answer waits no longer for it: better one that a page cannot read than none. */
const PATIENCE_MILLISECONDS = 2_000;
/** Anybody may ask, without a signature: what is kept and what is under way at once is bounded. */
const MAX_KEPT = 1_024;
const MAX_UNDER_WAY = 32;
/** A scheme, a host name (at most 253 characters) and a port; no browser sends more. */
const MAX_ORIGIN_CHARACTERS = 320;

const NOTHING = new HeaderList();

/** What a page asks of its browser: a method on a bucket, from an origin. */
export interface AskingPage {
  readonly origin: string;
  /** undefined: of the service itself, or of what is no bucket. */
  readonly bucket: string | undefined;
  readonly method: string;
}

interface Kept {
  readonly answer: Promise<HeaderList>;
  untilMilliseconds: number;
}

/**
 * Which pages may read what, in browsers: the store's own rules (CORS), asked for as browsers do. They need no
 * signature, so the store is asked with nobody's rights, and only about buckets that are a tenant's; for all others the
 * service is asked, which tells no more than the store tells anybody.
 */
export class OriginRules {
  readonly #store: Store;
  readonly #directory: Directory;
  readonly #stagingBucket: string;
  readonly #now: () => Date;
  readonly #kept = new LRUCache<string, Kept>({ max: MAX_KEPT });
  #underWay = 0;

  constructor(parts: {
    readonly store: Store;
    readonly directory: Directory;
    readonly stagingBucket: string;
    readonly now: () => Date;
  }) {
    this.#store = parts.store.as(ANONYMOUS);
    this.#directory = parts.directory;
    this.#stagingBucket = parts.stagingBucket;
    this.#now = parts.now;
  }

  /** A browser's own question, passed on: nothing is kept, browsers keep the answer themselves. @throws GatewayError */
  async preflight(resource: Resource, question: HeaderList, signal: AbortSignal): Promise<CrossOriginAnswered> {
    const { bucket } = resource;
    const asked = bucket === undefined || (await this.#isTenants(bucket)) ? resource : {};
    return this.#ask(asked, question, signal);
  }

  /**
   * What the store would say on its answer to such a request: kept for a moment, so that pages cost the store one
   * question more a moment, beside the request itself. Never rejects: without the store's word nothing is said.
   */
  answerTo(page: AskingPage): Promise<HeaderList> {
    if (page.origin.length > MAX_ORIGIN_CHARACTERS) return Promise.resolve(NOTHING);
    const name = JSON.stringify([page.bucket, page.method, page.origin]);
    const now = this.#now().getTime();
    const known = this.#kept.get(name);
    if (known !== undefined && now < known.untilMilliseconds) return known.answer;
    const kept: Kept = {
      answer: this.#learn(page).catch(() => {
        kept.untilMilliseconds = this.#now().getTime() + KEEP_FAILURE_SECONDS * 1_000;
        return NOTHING;
      }),
      untilMilliseconds: now + KEEP_SECONDS * 1_000,
    };
    this.#kept.set(name, kept);
    return kept.answer;
  }

  /** Rules were changed through this gateway. */
  forget(): void {
    this.#kept.clear();
  }

  /**
   * The rule that browsers are told beforehand has all that is said on answers, in stores that keep rules by bucket
   * (AWS, Ceph, versitygw). MinIO keeps one for all and says which headers may be read on answers only: to OPTIONS that
   * names no method it answers so, where the others refuse it.
   */
  async #learn({ origin, bucket, method }: AskingPage): Promise<HeaderList> {
    const resource = bucket !== undefined && (await this.#isTenants(bucket)) ? { bucket } : {};
    const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    const question = new HeaderList(['Origin', origin, 'Access-Control-Request-Method', method]);
    const { headers } = await this.#ask(resource, question, signal);
    if (!letsRead(headers) || headers.has('access-control-expose-headers')) return headers;
    const plain = await this.#ask(resource, new HeaderList(['Origin', origin]), signal).catch(() => undefined);
    return plain !== undefined && letsRead(plain.headers) ? plain.headers : headers;
  }

  async #isTenants(bucket: string): Promise<boolean> {
    if (isForStaging(bucket, this.#stagingBucket)) return false;
    const tenant = await this.#directory.owner(bucket);
    return tenant !== undefined && policyFor(tenant, bucket) !== undefined;
  }

  async #ask(resource: Resource, question: HeaderList, signal: AbortSignal): Promise<CrossOriginAnswered> {
    if (this.#underWay >= MAX_UNDER_WAY) {
      const busy = 'Too many browsers ask at once what their pages may do. Try again shortly.';
      throw new GatewayError('SlowDown', busy, { source: 'gateway' });
    }
    this.#underWay++;
    try {
      return { kind: 'CrossOriginAnswered', ...(await this.#store.preflight(resource, question, signal)) };
    } finally {
      this.#underWay--;
    }
  }
}
