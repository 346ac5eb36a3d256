import type { Conditions } from './conditions.ts';
import { formatHttpDate, parseHttpDate, parseIsoDate } from './dates.ts';

/**
 * Returns the conditions that count, their dates in the one form that every store reads; undefined where none counts.
 * An ETag silences the date of its pair, and what is no date is ignored (RFC 9110 §13.2.2).
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

/** Reads a condition's date, in any form of RFC 9110 or in ISO 8601; undefined for what is no date. */
export function conditionDate(text: string): Date | undefined {
  return parseHttpDate(text) ?? parseIsoDate(text);
}

export type Verdict = 'holds' | 'failed' | 'not modified';

/**
 * Judges a read's conditions of an object, If-Match before If-None-Match (RFC 9110 §13.2.2).
 * @param conditions as `effectiveConditions` returns them
 * @param object with all the ETags that name it, unquoted
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

/** HTTP dates have no fractions of a second. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

const ONE_ETAG = /[ \t]*(?:(W\/)?"([^"]*)"|([^",]*?))[ \t]*(?:,|$)/y;

/**
 * Tells whether a condition names an object: it is `*`, or a list of ETags, quoted or bare as some SDKs send them.
 * A weak ETag never matches strongly (RFC 9110 §8.8.3.2).
 * @param etags all that name the object, unquoted
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
