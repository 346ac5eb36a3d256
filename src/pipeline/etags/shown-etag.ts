import { type KnownDigest, PLAIN_OBJECT } from '../../etags/etag-entry.ts';
import type { IdentifiedObject, ObjectDetails } from '../../formats/format.ts';
import { clientEtag } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { OperationContext } from '../context.ts';

/**
 * The ETag that clients see of an object (FORMAT.md §8). In mode `md5` it is what S3 would give: of a sealed object as
 * its end says, which is asked where neither the details at hand nor the index know; of a plain one as it lies.
 * In mode `opaque` without a promise: every small download asks it.
 * @param details of this very object, where they were read anyway
 * @throws what `IdentifiedObject.details` throws
 */
export function shownEtag(
  object: IdentifiedObject,
  context: OperationContext,
  details?: ObjectDetails,
): string | Promise<string> {
  const { id, stored } = object;
  if (context.policy.etag === 'opaque') return clientEtag(stored.etag);
  if (id === undefined) return etagOf(PLAIN_OBJECT, stored.etag);
  return digestOf(object, id, context, details).then((digest) => etagOf(digest, stored.etag));
}

async function digestOf(
  object: IdentifiedObject,
  id: Buffer,
  context: OperationContext,
  details: ObjectDetails | undefined,
): Promise<KnownDigest> {
  const { etags } = context;
  const identity = { tenant: context.tenant, ref: object.ref, backendEtag: object.stored.etag };
  const known = details === undefined ? (await etags.find([identity]))[0] : etags.recall(identity);
  // Another object that the store gave the same ETag, by its own ways or by malice, is not this one.
  if (known?.plain === false && known.oid.equals(id)) return known;
  if (details === undefined) etags.countFooter();
  const digest = digestIn(details ?? (await object.details()), id);
  void etags.learn(identity, digest);
  return digest;
}

/**
 * What an object's details say of its MD5. Of a multipart upload it is that of the parts' MD5s, and then each part has
 * one; a body of unknown length lies in parts too, which its client never saw: its MD5 is that of the plaintext.
 */
export function digestIn({ md5, parts = [] }: Pick<ObjectDetails, 'md5' | 'parts'>, oid: Buffer): KnownDigest {
  const digested = parts.filter((part) => part.md5 !== undefined).length;
  const whole = digested === 0 || digested === parts.length;
  return { plain: false, md5: whole ? md5 : undefined, parts: digested, oid };
}

export function etagOf({ plain, md5, parts }: KnownDigest, backendEtag: string): string {
  if (plain) return backendEtag;
  if (md5 === undefined) return clientEtag(backendEtag);
  return parts === 0 ? md5.toString('hex') : `${md5.toString('hex')}-${parts}`;
}

/** The ETag of an object that lies in the backend as it was sent: the backend's own, so that nothing is asked. */
export function plainEtag(backendEtag: string, { etag }: BucketPolicy): string {
  return etag === 'md5' ? backendEtag : clientEtag(backendEtag);
}
