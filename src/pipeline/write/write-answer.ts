import type { BodyProof } from '../../dialects/front-dialect.ts';
import type { StoredAck } from '../../dialects/store-exchange.ts';
import type { KnownDigest } from '../../etags/etag-entry.ts';
import type { BegunObject } from '../../formats/object-writer.ts';
import type { ObjectStored } from '../../operations/answer.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { clientEtag } from '../../store/etag.ts';
import type { OperationContext } from '../context.ts';
import { etagOf, plainEtag } from '../etags/shown-etag.ts';

/** An object that was written, and which it is in the backend. */
export interface WrittenObject extends ObjectStored {
  /** Unquoted. */
  readonly backendEtag: string;
}

/** @param written `writer` is the one that made the object */
export async function writtenAnswer(
  ref: ObjectRef,
  { stored, writer, proof }: { readonly stored: StoredAck; readonly writer: BegunObject; readonly proof: BodyProof },
  context: OperationContext,
): Promise<WrittenObject> {
  const { versionId, vendor, etag: backendEtag } = stored;
  const { id, encryption } = writer;
  const digest = id && { plain: false, md5: proof.md5, parts: 0, oid: id };
  const etag = await writtenEtag(backendEtag, digest, ref, context);
  return { kind: 'ObjectStored', ref, etag, versionId, checksum: proof.checksum, encryption, vendor, backendEtag };
}

/**
 * The ETag that clients see of what was just written. Before anybody is told of it the index knows it, too; where that
 * fails, the footer still says it.
 * @param digest undefined where the object lies as it was sent
 */
export async function writtenEtag(
  backendEtag: string,
  digest: KnownDigest | undefined,
  ref: ObjectRef,
  { etags, tenant, policy }: OperationContext,
): Promise<string> {
  if (policy.etag === 'opaque') return clientEtag(backendEtag);
  if (digest === undefined) return plainEtag(backendEtag, policy);
  await etags.learn({ tenant, ref, backendEtag }, digest);
  return etagOf(digest, backendEtag);
}

/**
 * When what was just written was written, by the backend's clock, where its acknowledgement did not say. The gateway's
 * own clock if that object is another one already.
 */
export async function writtenAt(ref: ObjectRef, ack: StoredAck, context: OperationContext): Promise<Date> {
  const { now, store, signal } = context;
  const get = { ref: { ...ref, versionId: ack.versionId }, conditions: { ifMatch: `"${ack.etag}"` } };
  const stored = await store.head(get, signal).catch(() => undefined);
  return stored?.lastModified ?? now();
}
