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

/**
 * How long an answer of the store is kept. A change of CORS rules that bypasses this gateway is seen that much later.
 */
const KEEP_SECONDS = 5;
/** How long a failure is kept: the store was down or busy, or refused the question. */
const KEEP_FAILURE_SECONDS = 1;
/** How long the answer to a request waits for the store's rules. After that it is sent without them. */
const TIMEOUT_MILLISECONDS = 2_000;
/** How many answers of the store are kept. The number is bounded because anybody may ask, without a signature. */
const MAX_KEPT = 1_024;
/** How many questions to the store may be open at once; bounded for the same reason. */
const MAX_UNDER_WAY = 32;
/** The longest Origin: a scheme, a host name of at most 253 characters and a port. */
const MAX_ORIGIN_CHARACTERS = 320;

const NO_HEADERS = new HeaderList();

/** A request that a page in a browser sends: from an origin, with a method, to a bucket. */
export interface AskingPage {
  /** The value of the Origin header. */
  readonly origin: string;
  /** undefined for a request to the service, or whose address names no bucket. */
  readonly bucket: string | undefined;
  readonly method: string;
}

interface Kept {
  readonly answer: Promise<HeaderList>;
  untilMilliseconds: number;
}

/**
 * Learns the store's CORS rules, which say what pages of an origin may do in a browser. The store is asked by preflight
 * requests, as browsers ask. They need no signature and so are sent anonymously, and only about buckets that belong to
 * a tenant. About all others the service itself is asked, so that nobody learns which other buckets the store has.
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

  /**
   * Passes on a browser's preflight request. The answer is not kept, because browsers keep it themselves.
   * @throws GatewayError the store's refusal, or SlowDown where too many questions are open
   */
  async preflight(resource: Resource, question: HeaderList, signal: AbortSignal): Promise<CrossOriginAnswered> {
    const { bucket } = resource;
    const asked = bucket === undefined || (await this.#isTenants(bucket)) ? resource : {};
    return this.#ask(asked, question, signal);
  }

  /**
   * Returns the CORS headers that the store would add to its answer to a request. They are kept for some seconds, so
   * that requests of pages do not cost the store a further question each. The promise never rejects: where the store
   * does not say, there are no headers.
   */
  answerTo(page: AskingPage): Promise<HeaderList> {
    if (page.origin.length > MAX_ORIGIN_CHARACTERS) return Promise.resolve(NO_HEADERS);
    const name = JSON.stringify([page.bucket, page.method, page.origin]);
    const now = this.#now().getTime();
    const known = this.#kept.get(name);
    if (known !== undefined && now < known.untilMilliseconds) return known.answer;
    const kept: Kept = {
      answer: this.#learn(page).catch(() => {
        kept.untilMilliseconds = this.#now().getTime() + KEEP_FAILURE_SECONDS * 1_000;
        return NO_HEADERS;
      }),
      untilMilliseconds: now + KEEP_SECONDS * 1_000,
    };
    this.#kept.set(name, kept);
    return kept.answer;
  }

  /** Forgets all answers, because rules were changed through this gateway. */
  forget(): void {
    this.#kept.clear();
  }

  /**
   * Asks the store for its rules. Stores with rules for each bucket (AWS, Ceph, versitygw) tell all of them in the
   * answer to a preflight. MinIO has one rule for all buckets, and tells which headers a page may read only in answers
   * to other requests, and to an OPTIONS that names no method. The other stores refuse such an OPTIONS, so it is sent
   * only where the first answer does not say which headers a page may read.
   */
  async #learn({ origin, bucket, method }: AskingPage): Promise<HeaderList> {
    const resource = bucket !== undefined && (await this.#isTenants(bucket)) ? { bucket } : {};
    const signal = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
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
