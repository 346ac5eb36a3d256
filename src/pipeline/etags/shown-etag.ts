import { type KnownDigest, PLAIN_OBJECT } from '../../etags/etag-entry.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import { type EncryptionFacts, mayTellMd5 } from '../../operations/encryption.ts';
import { clientEtag } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { OperationContext } from '../context.ts';

/**
 * The ETag of an object that clients see (FORMAT.md §8).
 *
 * Where the policy says `md5` it is the one that S3 would give: of a sealed object, its footer holds the MD5, and the
 * footer is read where neither `details` nor the index have it; a plain object's is the store's own. An object under
 * another key than a managed one has an opaque ETag in any case. Where the policy says `opaque` the result is not a
 * promise, because every small download asks for it.
 * @param details the details of this object, where they were read already
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
  if (!mayTellMd5(object.encryption)) return clientEtag(stored.etag);
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
  // The index knows objects by the store's ETags, and a store may give two objects the same one. The id tells them
  // apart.
  if (known?.plain === false && known.oid.equals(id)) return known;
  if (details === undefined) etags.countFooter();
  const digest = digestIn(details ?? (await object.details()), id, object.encryption);
  void etags.learn(identity, digest);
  return digest;
}

/**
 * What an object's details say of its MD5. For a multipart upload `md5` is the MD5 of the parts' MD5s, and each part
 * has one of its own. An object that was sent without a length is stored in parts as well, but its client did not send
 * them: the parts have no MD5s, and `md5` is that of the plaintext. An MD5 that clients may not see (`mayTellMd5`) is
 * left out. A CRC-64 is told in any case, but never of an object under a customer's key by the index.
 * @param oid undefined for an object that is stored as it was sent
 */
export function digestIn(
  { md5, crc64: found, parts = [] }: Pick<ObjectDetails, 'md5' | 'crc64' | 'parts'>,
  oid: Buffer | undefined,
  encryption: EncryptionFacts | undefined,
): KnownDigest {
  if (oid === undefined) return { ...PLAIN_OBJECT, crc64: found };
  // Of an object that only its client can open, nothing is remembered.
  const crc64 = encryption?.kind === 'customer' ? undefined : found;
  if (!mayTellMd5(encryption)) return { plain: false, md5: undefined, parts: 0, crc64, oid };
  const digested = parts.filter((part) => part.md5 !== undefined).length;
  const whole = digested === 0 || digested === parts.length;
  return { plain: false, md5: whole ? md5 : undefined, parts: digested, crc64, oid };
}

/** The ETag that clients see of an object with this digest, unquoted. It is opaque where the MD5 is not known. */
export function etagOf({ plain, md5, parts }: KnownDigest, backendEtag: string): string {
  if (plain) return backendEtag;
  if (md5 === undefined) return clientEtag(backendEtag);
  return parts === 0 ? md5.toString('hex') : `${md5.toString('hex')}-${parts}`;
}

/**
 * The ETag that clients see of an object that is stored as it was sent. Where the policy says `md5`, the store's own.
 */
export function plainEtag(backendEtag: string, { etag }: BucketPolicy): string {
  return etag === 'md5' ? backendEtag : clientEtag(backendEtag);
}
