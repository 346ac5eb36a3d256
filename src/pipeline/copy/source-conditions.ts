import { clientError } from '../../errors.ts';
import { backendEtags } from '../../store/etag.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { parseHttpDate, parseIsoDate } from '../../wire/dates.ts';

/**
 * The conditions on what a copy reads (RFC 9110 §13.2.2: an ETag silences the date of its pair), of the very object
 * that the copy is then pinned to. Judged here, because stores differ: MinIO lets a date overrule a matching ETag.
 * @param source its ETags are all that name it
 * @throws GatewayError PreconditionFailed, where a read would be a 304 too; InvalidArgument for an unreadable date
 */
export function checkSourceConditions(
  conditions: Conditions,
  source: { readonly etags: readonly string[]; readonly lastModified: Date },
): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) require(names(ifMatch, source.etags));
  else if (ifUnmodifiedSince !== undefined) require(wholeSeconds(source.lastModified) <= moment(ifUnmodifiedSince));
  if (ifNoneMatch !== undefined) require(!names(ifNoneMatch, source.etags));
  else if (ifModifiedSince !== undefined) require(wholeSeconds(source.lastModified) > moment(ifModifiedSince));
}

function require(holds: boolean): void {
  if (!holds) {
    throw clientError('PreconditionFailed', 'At least one of the preconditions you specified did not hold.');
  }
}

/** A list of ETags, quoted or bare as some SDKs send them, or `*`. */
function names(condition: string, etags: readonly string[]): boolean {
  return (backendEtags(condition) ?? '').split(',').some((one) => {
    const etag = one.trim();
    return etag === '*' || etags.includes(etag.replace(/^(?:W\/)?"(.*)"$/, '$1'));
  });
}

function moment(text: string): number {
  const date = parseHttpDate(text) ?? parseIsoDate(text);
  if (date !== undefined) return wholeSeconds(date);
  // RFC 9110 would ignore it; what guards a write is better refused.
  throw clientError('InvalidArgument', 'A condition on the copy source has a date that cannot be read.');
}

/** HTTP dates have no fractions. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
