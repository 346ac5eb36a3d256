import type { Conditions } from './conditions.ts';
import { formatHttpDate, parseHttpDate, parseIsoDate } from './dates.ts';

/**
 * Returns the conditions that count, with dates in the form that every store reads; undefined where none counts. A date
 * is ignored beside the ETag condition of the same kind, and so is one that cannot be read (RFC 9110 §13.1.3, §13.1.4).
 */
export function effectiveConditions(conditions: Conditions): Conditions | undefined {
  const { ifMatch, ifNoneMatch } = conditions;
  const ifUnmodifiedSince = ifMatch === undefined ? httpDate(conditions.ifUnmodifiedSince) : undefined;
  const ifModifiedSince = ifNoneMatch === undefined ? httpDate(conditions.ifModifiedSince) : undefined;
  const none = (ifMatch ?? ifNoneMatch ?? ifUnmodifiedSince ?? ifModifiedSince) === undefined;
  return none ? undefined : { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince };
}

function httpDate(text: string | undefined): string | undefined {
  const date = text === undefined ? undefined : conditionDate(text);
  return date && formatHttpDate(date);
}

/** Reads the date of a condition, in a form of RFC 9110 or in ISO 8601; undefined for any other text. */
export function conditionDate(text: string): Date | undefined {
  return parseHttpDate(text) ?? parseIsoDate(text);
}

/** What a read's conditions say of an object: `failed` is answered with 412, and `not modified` with 304. */
export type Verdict = 'holds' | 'failed' | 'not modified';

/**
 * Judges the conditions of a read by the object, in the order of RFC 9110 §13.2.2.
 * @param conditions the result of `effectiveConditions`
 * @param object its date, and all ETags by which clients may name it, without quotes
 */
export function judge(
  conditions: Conditions,
  object: { readonly etags: readonly string[]; readonly lastModified: Date },
): Verdict {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = conditions;
  const modifiedAt = wholeSeconds(object.lastModified);
  if (ifMatch !== undefined ? !namesEtag(ifMatch, object.etags, 'strongly') : isAfter(modifiedAt, ifUnmodifiedSince)) {
    return 'failed';
  }
  const unchanged =
    ifNoneMatch !== undefined
      ? namesEtag(ifNoneMatch, object.etags, 'weakly')
      : ifModifiedSince !== undefined && !isAfter(modifiedAt, ifModifiedSince);
  return unchanged ? 'not modified' : 'holds';
}

function isAfter(modifiedAt: number, since: string | undefined): boolean {
  const date = since === undefined ? undefined : parseHttpDate(since);
  return date !== undefined && modifiedAt > wholeSeconds(date);
}

/** Drops the fraction of a second, which HTTP dates do not have. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

const ONE_ETAG = /[ \t]*(?:(W\/)?"([^"]*)"|([^",]*?))[ \t]*(?:,|$)/y;

/**
 * Tells whether a condition names an object. It does if it is `*`, or a list that has one of the object's ETags, which
 * some SDKs send without quotes.
 * @param etags all ETags by which clients may name the object, without quotes
 * @param how `strongly` where a weak ETag in the condition must not match (RFC 9110 §8.8.3.2)
 */
export function namesEtag(condition: string, etags: readonly string[], how: 'strongly' | 'weakly'): boolean {
  ONE_ETAG.lastIndex = 0;
  while (ONE_ETAG.lastIndex < condition.length) {
    const match = ONE_ETAG.exec(condition);
    if (match === null) return false;
    const [, weak, quoted, bare] = match;
    if (bare === '*') return true;
    if (etags.includes((quoted ?? bare) as string) && (weak === undefined || how === 'weakly')) return true;
  }
  return false;
}
