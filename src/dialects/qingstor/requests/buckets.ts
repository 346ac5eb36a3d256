import { clientError } from '../../../errors.ts';
import type { ListObjects } from '../../../operations/listing.ts';
import type { DeleteTarget, Operation } from '../../../operations/operation.ts';
import type { QueryList } from '../../../wire/query.ts';
import { checkKey } from '../address.ts';
import { isRecord, jsonOf } from './json-document.ts';
import { objectLimit } from './paging.ts';

/** The greatest size of a deletion's document: 1,000 keys of 1,024 bytes, with every byte written as `\uXXXX`. */
export const MAX_DELETE_BYTES = 8 * 1024 * 1024;
const MAX_DELETE_TARGETS = 1000;

/** The greatest size of the document of an ACL. */
export const MAX_ACL_BYTES = 64 * 1024;

export function readListing(bucket: string, query: QueryList): ListObjects {
  return {
    kind: 'ListObjects',
    bucket,
    form: 1,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: query.get('marker') ?? '',
    continuationToken: undefined,
    maxKeys: objectLimit(query),
    urlEncoded: false,
    withOwner: false,
  };
}

/** Reads the document of a DeleteMultipleObjects. @throws GatewayError MalformedBody, InvalidArgument */
export function readDelete(bucket: string, document: Buffer): Operation {
  const asked = jsonOf(document);
  const objects = isRecord(asked) ? asked.objects : undefined;
  const malformed = clientError('MalformedBody', 'The body must be JSON: {"objects":[{"key":"…"}],"quiet":false}.');
  if (!isRecord(asked) || !Array.isArray(objects)) throw malformed;
  if (objects.length > MAX_DELETE_TARGETS) {
    throw clientError('InvalidArgument', `At most ${MAX_DELETE_TARGETS} objects can be deleted in one request.`);
  }
  const targets: DeleteTarget[] = objects.map((object: unknown) => {
    if (!isRecord(object) || typeof object.key !== 'string' || object.key === '') throw malformed;
    checkKey(object.key);
    return { key: object.key };
  });
  return { kind: 'DeleteObjects', bucket, targets, quiet: asked.quiet === true };
}

/**
 * Reads the document of a PutBucketACL. The gateway decides who may do what, so it takes what there is anyhow: that
 * users, and no group, are granted FULL_CONTROL.
 * @throws GatewayError MalformedBody, NotImplemented for a grant to a group, or of less
 */
export function readAcl(bucket: string, document: Buffer): Operation {
  const asked = jsonOf(document);
  const grants = isRecord(asked) ? asked.acl : undefined;
  if (!Array.isArray(grants)) throw clientError('MalformedBody', 'The body must be JSON: {"acl":[…]}.');
  const own = grants.every(
    (grant: unknown) =>
      isRecord(grant) &&
      isRecord(grant.grantee) &&
      grant.grantee.type === 'user' &&
      grant.permission === 'FULL_CONTROL',
  );
  if (!own || grants.length > 1) {
    throw clientError('NotImplemented', 'Other ACLs are not available: this gateway decides by its own policies.');
  }
  return { kind: 'HeadBucket', bucket };
}
