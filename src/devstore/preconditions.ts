import { ConclusiveError, clientError, type GatewayError, proven } from '../errors.ts';
import type { Conditions } from '../wire/conditions.ts';
import { parseHttpDate } from '../wire/dates.ts';
import type { HeaderList } from '../wire/headers.ts';
import { type Guard, noSuchKey } from './bucket.ts';
import type { ObjectRecord } from './record.ts';

/** `prefix` is `x-amz-copy-source-` for the conditions on a copy's source. */
export function readConditions(headers: HeaderList, prefix = ''): Conditions {
  return {
    ifMatch: headers.get(`${prefix}if-match`),
    ifNoneMatch: headers.get(`${prefix}if-none-match`),
    ifModifiedSince: headers.get(`${prefix}if-modified-since`),
    ifUnmodifiedSince: headers.get(`${prefix}if-unmodified-since`),
  };
}

/** RFC 9110 §13.2.2: an ETag condition silences the date condition of its pair. */
function holds(record: ObjectRecord, conditions: Conditions): 'yes' | 'failed' | 'not modified' {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  const modifiedMs = Math.floor(record.modifiedMs / 1000) * 1000; // HTTP dates have whole seconds
  if (ifMatch !== undefined) {
    if (!names(ifMatch, record)) return 'failed';
  } else if (ifUnmodifiedSince !== undefined) {
    const since = parseHttpDate(ifUnmodifiedSince);
    if (since !== undefined && modifiedMs > since.getTime()) return 'failed';
  }
  if (ifNoneMatch !== undefined) {
    if (names(ifNoneMatch, record)) return 'not modified';
  } else if (ifModifiedSince !== undefined) {
    const since = parseHttpDate(ifModifiedSince);
    if (since !== undefined && modifiedMs <= since.getTime()) return 'not modified';
  }
  return 'yes';
}

/** @throws GatewayError PreconditionFailed, NotModified */
export function checkRead(record: ObjectRecord, conditions: Conditions): void {
  const verdict = holds(record, conditions);
  if (verdict === 'failed') throw preconditionFailed();
  if (verdict === 'not modified') {
    throw new ConclusiveError('NotModified', 'Not modified.', {
      proof: proven(record), // the store's own
      facts: {
        etag: record.etag,
        lastModified: new Date(record.modifiedMs),
        cacheControl: kept(record, 'cache-control'),
        expires: kept(record, 'expires'),
      },
    });
  }
}

function kept({ headers }: ObjectRecord, wanted: string): string | undefined {
  return headers.find(([name]) => name === wanted)?.[1];
}

/** A copy's source has no 304. @throws GatewayError PreconditionFailed */
export function checkCopySource(record: ObjectRecord, conditions: Conditions): void {
  if (holds(record, conditions) !== 'yes') throw preconditionFailed();
}

/**
 * The guard of a conditional PUT, Complete, Copy or DELETE; it runs when nobody else can change the key.
 * @throws GatewayError NotImplemented at once for what S3 has not: If-None-Match other than `*`, dates
 */
export function writeGuard(conditions: Conditions, key: string): Guard {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw clientError('NotImplemented', 'A write takes no If-None-Match but *.');
  }
  if (conditions.ifModifiedSince !== undefined || conditions.ifUnmodifiedSince !== undefined) {
    throw clientError('NotImplemented', 'A write takes no condition on dates.');
  }
  return (current) => {
    if (ifNoneMatch === '*' && current !== undefined) throw preconditionFailed();
    if (ifMatch === undefined) return;
    if (current === undefined) throw noSuchKey(key); // as S3: there is nothing to compare with
    if (!names(ifMatch, current)) throw preconditionFailed();
  };
}

/** A list of ETags, quoted or bare, or `*`. */
function names(condition: string, record: ObjectRecord): boolean {
  return condition.split(',').some((one) => {
    const etag = one.trim();
    return etag === '*' || unquoteEtag(etag) === record.etag;
  });
}

export function unquoteEtag(etag: string): string {
  return etag.replace(/^(?:W\/)?"(.*)"$/, '$1');
}

function preconditionFailed(): GatewayError {
  return clientError('PreconditionFailed', 'At least one of the preconditions you specified did not hold.');
}
