import type { Conditions } from '../wire/conditions.ts';
import { formatHttpDate, parseHttpDate, parseIsoDate } from '../wire/dates.ts';

const NONE: Conditions = {};

/**
 * Which of a read's conditions a store is asked: one plain condition at most, which stores agree about, so that bytes
 * that nobody wants stay off the wire. All of them are judged here, of the object that comes.
 *
 * RFC 9110 §13.2.2: an ETag silences the date of its pair, what is no date counts for nothing, and If-Match comes
 * before If-None-Match. Stores differ where several come together (MinIO lets a date overrule an ETag, and answers 304
 * where 412 is due), in lists and weak ETags, and in dates (versitygw compares fractions of a second, which no HTTP date
 * has, so that an object is newer than its own Last-Modified), and about `*` (Ceph RGW): those are not asked.
 * @param conditions ETags in the backend's form
 */
export function askedConditions(conditions: Conditions): Conditions {
  const effective = effectiveConditions(conditions);
  if (effective === undefined) return NONE;
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = effective;
  const single = (ifMatch ?? ifUnmodifiedSince) === undefined || (ifNoneMatch ?? ifModifiedSince) === undefined;
  const plain = isPlain(ifMatch) && isPlain(ifNoneMatch);
  return single && plain && ifUnmodifiedSince === undefined ? effective : NONE;
}

/** Those that count, dates in one form; undefined when none does. */
export function effectiveConditions(conditions: Conditions): Conditions | undefined {
  const { ifMatch, ifNoneMatch } = conditions;
  const ifUnmodifiedSince = ifMatch === undefined ? httpDate(conditions.ifUnmodifiedSince) : undefined;
  const ifModifiedSince = ifNoneMatch === undefined ? httpDate(conditions.ifModifiedSince) : undefined;
  const none = (ifMatch ?? ifNoneMatch ?? ifUnmodifiedSince ?? ifModifiedSince) === undefined;
  return none ? undefined : { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince };
}

/** In the form that every store reads; undefined for what is no date. */
function httpDate(text: string | undefined): string | undefined {
  const date = text === undefined ? undefined : (parseHttpDate(text) ?? parseIsoDate(text));
  return date && formatHttpDate(date);
}

/** One strong ETag, quoted or bare. */
function isPlain(condition: string | undefined): boolean {
  return condition === undefined || /^(?:"[^"]*"|[^",/*]*)$/.test(condition);
}

export type Verdict = 'holds' | 'failed' | 'not modified';

/** @param object its ETags are all that name it */
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

/** HTTP dates have no fractions. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

const ONE_ETAG = /[ \t]*(?:(W\/)?"([^"]*)"|([^",]*?))[ \t]*(?:,|$)/y;

/** A list of ETags, quoted or bare as some SDKs send them, or `*`. A weak one never matches strongly (§8.8.3.2). */
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
