import { clientError } from '../errors.ts';

/** How the objects in matching buckets are protected. */
export interface BucketPolicy {
  /** The name of a bucket, in which each `*` stands for any number of characters, also for none. */
  readonly pattern: string;
  /**
   * The word of the format that new objects have: `seal` means SX1; `none` means plaintext, and is used only if it is
   * written out. formats/table.ts says which words there are.
   */
  readonly protection: string;
  /**
   * How the store itself encrypts objects, where the protection leaves it to the store: with keys of its own, with keys
   * of its KMS, or with keys that the gateway sends it. undefined where nobody has said it, which means `managed`.
   */
  readonly inject?: InjectedForm | undefined;
  /** The ids of the keys in the store's KMS, the default first. Rules set it; undefined leaves the key to the store. */
  readonly keys?: readonly string[] | undefined;
  /** Whether unmarked objects in a sealed bucket are served as plaintext, for the time of a migration. */
  readonly mixed: boolean;
  /** What happens to an object that was moved in the backend: it is refused, or served and counted (FORMAT.md §3). */
  readonly location: 'enforce' | 'warn';
  /** What happens to an object whose metadata was changed in the backend; the choices are the same. */
  readonly metadata: 'enforce' | 'warn';
  /** The quantum id of new objects (FORMAT.md §4): 0 is 1 MiB, 1 is 5 MiB, 2 is 100 KiB. */
  readonly quantum: 0 | 1 | 2;
  /**
   * Whether unsigned requests go to the backend, unsigned, where its own bucket policy decides. If not, they are
   * refused.
   */
  readonly anonymous: boolean;
  /** What clients see as ETags: the backend's, or MD5s of the plaintext as S3 itself gives them (FORMAT.md §8). */
  readonly etag: 'opaque' | 'md5';
}

/** The word for the protection that leaves it to the store to encrypt. */
export const INJECT = 'inject';

/** The forms in which a store can be asked to encrypt by itself. */
export const INJECTED_FORMS = ['managed', 'kms', 'customer'] as const;

export type InjectedForm = (typeof INJECTED_FORMS)[number];

/** The words that a policy may have for `protection`, as messages list them. The first is the default. */
export type ProtectionWords = readonly [string, ...string[]];

/** The policy of a pattern for which nothing else is set, beside its word for the protection. */
export const DEFAULT_BUCKET_POLICY: Omit<BucketPolicy, 'pattern' | 'protection'> = {
  mixed: false,
  location: 'enforce',
  metadata: 'enforce',
  quantum: 0,
  anonymous: false,
  etag: 'opaque',
};

/** Bucket names of all dialects (old S3 names have capitals and underscores), with stars. */
const PATTERN = /^[A-Za-z0-9._*-]{1,63}$/;

/**
 * Makes a policy with the defaults filled in.
 * @throws GatewayError InvalidArgument that says what is wrong
 */
export function bucketPolicy(
  input: Partial<BucketPolicy> & { readonly pattern: string },
  protections: ProtectionWords,
): BucketPolicy {
  const policy: BucketPolicy = {
    pattern: input.pattern,
    protection: input.protection ?? protections[0],
    ...(input.inject !== undefined && { inject: input.inject }),
    mixed: input.mixed ?? DEFAULT_BUCKET_POLICY.mixed,
    location: input.location ?? DEFAULT_BUCKET_POLICY.location,
    metadata: input.metadata ?? DEFAULT_BUCKET_POLICY.metadata,
    quantum: input.quantum ?? DEFAULT_BUCKET_POLICY.quantum,
    anonymous: input.anonymous ?? DEFAULT_BUCKET_POLICY.anonymous,
    etag: input.etag ?? DEFAULT_BUCKET_POLICY.etag,
  };
  const problem = policyProblem(policy, protections);
  if (problem !== undefined) throw clientError('InvalidArgument', problem);
  return Object.freeze(policy);
}

/** Returns what is wrong with a pattern of bucket names, in a sentence; undefined if nothing is. */
export function patternProblem(pattern: string): string | undefined {
  if (!PATTERN.test(pattern)) {
    return (
      `The bucket pattern ${JSON.stringify(pattern)} must be 1 to 63 letters, digits, dots, hyphens, ` +
      `underscores and stars.`
    );
  }
  if (pattern.includes('**')) return `The bucket pattern ${pattern} has two stars in a row; one is enough.`;
  return undefined;
}

/** Returns what is wrong with a policy, in a sentence; undefined if nothing is. */
export function policyProblem(policy: BucketPolicy, protections: ProtectionWords): string | undefined {
  const { pattern } = policy;
  const problem = patternProblem(pattern);
  if (problem !== undefined) return problem;
  const bad = (name: string, allowed: string) => `The bucket policy for ${pattern} must have ${name} ${allowed}.`;
  if (!protections.includes(policy.protection)) return bad('protection', alternatives(protections));
  const { inject } = policy;
  if (inject !== undefined && !INJECTED_FORMS.includes(inject)) return bad('inject', alternatives(INJECTED_FORMS));
  if (typeof policy.mixed !== 'boolean') return bad('mixed', 'true or false');
  if (policy.location !== 'enforce' && policy.location !== 'warn') return bad('location', 'enforce or warn');
  if (policy.metadata !== 'enforce' && policy.metadata !== 'warn') return bad('metadata', 'enforce or warn');
  if (policy.quantum !== 0 && policy.quantum !== 1 && policy.quantum !== 2) return bad('quantum', '0, 1 or 2');
  if (typeof policy.anonymous !== 'boolean') return bad('anonymous', 'true or false');
  if (policy.etag !== 'opaque' && policy.etag !== 'md5') return bad('etag', 'opaque or md5');
  return undefined;
}

/** Returns `a`, `a or b`, or `a, b or c`. */
function alternatives(words: readonly [string, ...string[]]): string {
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/**
 * Whether the pattern matches this bucket. On a mismatch only the last star is tried again, so the time is at most the
 * product of the lengths. It uses no RegExp, because patterns are data.
 */
export function patternMatches(pattern: string, bucket: string): boolean {
  let p = 0;
  let b = 0;
  let star = -1;
  let starTook = 0;
  while (b < bucket.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      starTook = b;
    } else if (p < pattern.length && pattern[p] === bucket[b]) {
      p++;
      b++;
    } else if (star >= 0) {
      p = star + 1;
      b = ++starTook;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Whether there is a bucket name that both patterns match. Patterns of two tenants must not overlap. */
export function patternsOverlap(a: string, b: string): boolean {
  // overlap[j] says whether a[i..] and b[j..] match a common text. It is computed row by row, from the ends.
  let below: boolean[] = [];
  for (let i = a.length; i >= 0; i--) {
    const row: boolean[] = [];
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) row[j] = true;
      else if (a[i] === '*') row[j] = below[j] === true || (j < b.length && row[j + 1] === true);
      else if (b[j] === '*') row[j] = row[j + 1] === true || (i < a.length && below[j] === true);
      else row[j] = i < a.length && j < b.length && a[i] === b[j] && below[j + 1] === true;
    }
    below = row;
  }
  return below[0] === true;
}

/** Returns a number that is higher for a more specific pattern; a name without stars is the most specific. */
export function patternSpecificity(pattern: string): number {
  let stars = 0;
  for (let i = 0; i < pattern.length; i++) if (pattern[i] === '*') stars++;
  return stars === 0 ? Number.POSITIVE_INFINITY : pattern.length - stars;
}
