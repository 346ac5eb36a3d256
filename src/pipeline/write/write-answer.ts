import type { BodyProof } from '../../dialects/front-dialect.ts';
import type { StoredAck } from '../../dialects/store-exchange.ts';
import type { KnownDigest } from '../../etags/etag-entry.ts';
import type { BegunObject } from '../../formats/object-writer.ts';
import type { ObjectStored } from '../../operations/answer.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { clientEtag } from '../../store/etag.ts';
import type { OperationContext } from '../context.ts';
import { digestIn, etagOf, plainEtag } from '../etags/shown-etag.ts';

/** The answer to a write, with the backend's own ETag of the object. */
export interface WrittenObject extends ObjectStored {
  /** Unquoted. */
  readonly backendEtag: string;
}

/**
 * Makes the answer to a write.
 * @param written the backend's acknowledgement, the writer that made the object, and what verifying the body proved
 */
export async function writeAnswer(
  ref: ObjectRef,
  { stored, writer, proof }: { readonly stored: StoredAck; readonly writer: BegunObject; readonly proof: BodyProof },
  context: OperationContext,
): Promise<WrittenObject> {
  const { versionId, vendor, etag: backendEtag } = stored;
  const { id, encryption } = writer;
  const { md5, checksum, crc64 } = proof;
  const digest = digestIn({ md5, crc64, parts: undefined }, id, encryption);
  const etag = await etagAfterWrite(backendEtag, digest, ref, context);
  return { kind: 'ObjectStored', ref, etag, versionId, checksum, crc64, encryption, vendor, backendEtag };
}

/**
 * The ETag that clients see of an object that was just written. Where ETags are MD5s, and where the CRC-64 is known, it
 * is entered in the index before the client is answered, so that other gateways know it. If that fails, the footer
 * still holds it.
 */
export async function etagAfterWrite(
  backendEtag: string,
  digest: KnownDigest,
  ref: ObjectRef,
  { etags, tenant, policy }: OperationContext,
): Promise<string> {
  const showsMd5 = policy.etag === 'md5' && !digest.plain;
  if (showsMd5 || digest.crc64 !== undefined) await etags.learn({ tenant, ref, backendEtag }, digest);
  if (digest.plain) return plainEtag(backendEtag, policy);
  return showsMd5 ? etagOf(digest, backendEtag) : clientEtag(backendEtag);
}

/**
 * The Last-Modified date of an object that was just written, for backends whose acknowledgement does not tell it. It is
 * asked by a HEAD. If that fails, for example because the object was replaced already, it is the gateway's own time.
 */
export async function lastModifiedAfterWrite(ref: ObjectRef, ack: StoredAck, context: OperationContext): Promise<Date> {
  const { now, store, signal } = context;
  const get = { ref: { ...ref, versionId: ack.versionId }, conditions: { ifMatch: `"${ack.etag}"` } };
  const stored = await store.head(get, signal).catch(() => undefined);
  return stored?.lastModified ?? now();
}
