import type { Manifest } from '../../envelope/footer.ts';
import { type KnownDigest, PLAIN_OBJECT } from '../../etags/etag-entry.ts';
import type { ObjectDetails } from '../../formats/format.ts';
import { manifestOf, type PlainObject, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { clientEtag } from '../../store/etag.ts';
import { pinned } from '../../store/pin.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { OperationContext } from '../context.ts';

/**
 * The ETag that clients see of an object (FORMAT.md §8). In mode `md5` it is what S3 would give: of a sealed object as
 * its footer says, which is asked where neither the footer at hand nor the index knows; of a plain one as it lies.
 * In mode `opaque` without a promise: every small download asks it.
 * @param manifest of this very object, where it was read anyway
 * @throws ObjectReplaced, and what reading a footer throws
 */
export function shownEtag(
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
  manifest?: Manifest,
): string | Promise<string> {
  const backendEtag = object.stored.etag;
  if (context.policy.etag === 'opaque') return clientEtag(backendEtag);
  if (object.kind === 'plain') return etagOf(PLAIN_OBJECT, backendEtag);
  return digestOf(object, ref, context, manifest).then((digest) => etagOf(digest, backendEtag));
}

async function digestOf(
  object: SealedObject,
  ref: ObjectRef,
  context: OperationContext,
  manifest: Manifest | undefined,
): Promise<KnownDigest> {
  const { etags } = context;
  const identity = { tenant: context.tenant, ref, backendEtag: object.stored.etag };
  const { oid } = object.opened.head;
  const known = manifest === undefined ? (await etags.find([identity]))[0] : etags.recall(identity);
  // Another object that the store gave the same ETag, by its own ways or by malice, is not this one.
  if (known?.plain === false && known.oid.equals(oid)) return known;
  if (manifest === undefined) etags.countFooter();
  const digest = digestIn(manifest ?? (await pinned(manifestOf(object, ref, context))), oid);
  void etags.learn(identity, digest);
  return digest;
}

/**
 * What a footer says of the object's MD5. Of a multipart upload it is that of the parts' MD5s, and then each part has
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

/** Of what lies in the backend as it was sent, in a bucket without protection: without a question. */
export function plainEtag(backendEtag: string, { etag }: BucketPolicy): string {
  return etag === 'md5' ? backendEtag : clientEtag(backendEtag);
}
