import type { StoredObject, StoreGet } from '../../dialects/store-exchange.ts';
import { gatherMetadata } from '../../envelope/carried-metadata.ts';
import type { OpenEnvelope } from '../../envelope/envelope.ts';
import { type Manifest, openFooter } from '../../envelope/footer.ts';
import { Layout } from '../../envelope/layout.ts';
import { maxFooterBytes, plaintextBytesOf, sealedBytes } from '../../envelope/sizes.ts';
import { type Proof, type Proven, proven } from '../../errors.ts';
import type { Checksum, ObjectRef } from '../../operations/object.ts';
import { backendEtags } from '../../store/etag.ts';
import { pinned } from '../../store/pin.ts';
import { collect } from '../../wire/bodies/collect.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { FormatDesk } from '../format-desk.ts';
import { hasLostItsEnvelope, type PeekedContent } from './lost-envelope.ts';
import { corrupted, envelopeText, notSealed, openSealed } from './sealing.ts';

/** A stored object whose envelope was opened. */
export interface SealedObject extends Proof {
  readonly kind: 'sealed';
  /** Its metadata is the client's, as in a plain object: without the gateway's own entries. */
  readonly stored: StoredObject;
  readonly opened: OpenEnvelope;
  /** Follows from the size that the store claims; `provenLength` is what may be told. */
  readonly claimedBytes: number;
}

/** An object that lies in the backend as it was sent, which only a policy of `none` or `mixed` lets pass. */
export interface PlainObject extends Proof {
  readonly kind: 'plain';
  readonly stored: StoredObject;
}

/**
 * Tells what a backend answer's head describes.
 * @param peeked its bytes from the first on, where they are on their way
 * @throws GatewayError ObjectNotSealed, ObjectCorrupted, ObjectMoved, KeyUnavailable, KeyStoreUnavailable
 */
export async function identify(
  ref: ObjectRef,
  answered: StoredObject,
  context: FormatDesk,
  peeked?: PeekedContent,
): Promise<SealedObject | PlainObject> {
  const gathered = gatherMetadata(answered.metadata);
  const { content, user } = gathered;
  const stored = { ...answered, metadata: { content, user, vendor: answered.metadata.vendor } };
  const text = envelopeText(answered.metadata);
  if (text === undefined) {
    if (context.policy.protection === 'seal') await mustBePlain(ref, answered, context, peeked);
    return proven({ kind: 'plain', stored }); // the policy lets it be, and then the store's word is all there is
  }
  const opened = await openSealed(text, ref, gathered, context);
  const plaintextBytes = plaintextBytesOf(stored.storedBytes, opened.head.quantum);
  const sealedLength = opened.fields.plaintextBytes;
  if (plaintextBytes === undefined || (sealedLength !== undefined && sealedLength !== plaintextBytes)) {
    throw corrupted('The stored object’s size does not fit its sealed length: it was truncated, extended or replaced.');
  }
  return proven({ kind: 'sealed', stored, opened, claimedBytes: plaintextBytes }); // the envelope opened
}

/** @throws GatewayError ObjectNotSealed, ObjectCorrupted */
async function mustBePlain(
  ref: ObjectRef,
  stored: StoredObject,
  context: FormatDesk,
  content: PeekedContent | undefined,
): Promise<void> {
  if (!context.policy.mixed) throw notSealed();
  if (!(await hasLostItsEnvelope(ref, stored, context, content))) return;
  context.trace.lostEnvelopes++;
  throw corrupted(
    'It begins as a sealed object, and its envelope is gone: sealgate open --recover reads such objects.',
  );
}

/**
 * How long the plaintext is: of an object that was put in one go its envelope knows, of a multipart one its footer, which
 * costs a request unless it is remembered. Of a plain object only the store knows.
 * @throws ObjectReplaced, and what reading a footer throws
 */
export function provenLength(
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: FormatDesk,
): Proven<number> | Promise<Proven<number>> {
  if (object.kind === 'plain') return proven(object.stored.storedBytes); // as long as it is the store's alone to say
  const { plaintextBytes } = object.opened.fields;
  if (plaintextBytes !== undefined) return proven(plaintextBytes); // sealed in the envelope
  return pinned(manifestOf(object, ref, context)).then((manifest) => lengthIn(manifest));
}

/** @param manifest of an opened footer */
export function lengthIn({ plaintextBytes }: Manifest): Proven<number> {
  return proven(plaintextBytes); // the footer's tag held, and its parts add up to it
}

/** A composite checksum is told with the number of parts. */
export function checksumIn({ checksum, parts }: Manifest): Checksum | undefined {
  if (checksum === undefined) return undefined;
  const { algorithm, value, composite } = checksum;
  return { algorithm, value, parts: composite === true ? parts.length : undefined };
}

/** Where the object's plaintext lies. Multipart objects need their footer; it is fetched once and cached. */
export async function layoutOf(object: SealedObject, ref: ObjectRef, context: FormatDesk): Promise<Layout> {
  const { opened } = object;
  if (!opened.head.multipart) {
    const { partSalt } = opened.fields;
    return Layout.single({ plaintextBytes: object.claimedBytes, partSalt, quantum: opened.head.quantum });
  }
  const manifest = await manifestOf(object, ref, context);
  const known = context.layouts.get(context.keys.scope, ref);
  if (known?.manifest === manifest && known.layout !== undefined) return known.layout;
  return Layout.fromManifest(manifest, opened.head.quantum);
}

/** Keeps an object's footer for as long as a request has the object in hand, should the cache be too small to keep it. */
const READ = new WeakMap<SealedObject, Manifest>();

/** The verified footer of exactly this object: from the cache, or by one suffix GET pinned to its ETag. */
export async function manifestOf(object: SealedObject, ref: ObjectRef, context: FormatDesk): Promise<Manifest> {
  const { budget, layouts, store, keys, signal } = context;
  const { stored } = object;
  const read = READ.get(object);
  if (read !== undefined) return read;
  const known = layouts.get(keys.scope, ref);
  if (known !== undefined && known.backendEtag === stored.etag && known.storedBytes === stored.storedBytes) {
    if (known.oid.equals(object.opened.head.oid)) return known.manifest;
    layouts.delete(keys.scope, ref);
    throw corrupted('The backend told the same ETag of two different objects.');
  }
  const suffixBytes = Math.min(stored.storedBytes, maxFooterBytes(object.claimedBytes, object.opened.head.quantum));
  const release = budget.reserve(suffixBytes);
  try {
    const get: StoreGet = {
      ref: { ...ref, versionId: ref.versionId ?? stored.versionId },
      range: { suffixBytes },
      conditions: { ifMatch: `"${stored.etag}"` },
    };
    const content = await store.getAside(get, signal);
    if (content.object.etag !== stored.etag || content.object.storedBytes !== stored.storedBytes) {
      content.discard();
      throw corrupted('The stored object changed while it was read.');
    }
    const tail = await collect(content.body, suffixBytes, () => corrupted('The backend sent more than was asked.'));
    return openManifest(object, tail, ref, context);
  } finally {
    release();
  }
}

/** Opens a footer from the object's last bytes and remembers it. */
export function openManifest(object: SealedObject, tail: Buffer, ref: ObjectRef, context: FormatDesk): Manifest {
  const { opened, stored } = object;
  const { head, keys } = opened;
  const { manifest } = openFooter(tail, {
    keys,
    oid: head.oid,
    storedBytes: stored.storedBytes,
    quantum: head.quantum,
  });
  const consistent =
    manifest.multipart === head.multipart &&
    manifest.plaintextBytes === object.claimedBytes &&
    sealedBytes(manifest.plaintextBytes, head.quantum) === stored.storedBytes;
  if (!consistent) throw corrupted('The stored object’s footer contradicts its envelope.');
  context.layouts.set(context.keys.scope, ref, {
    backendEtag: stored.etag,
    oid: head.oid,
    storedBytes: stored.storedBytes,
    manifest,
    layout: manifest.multipart ? Layout.fromManifest(manifest, head.quantum) : undefined,
  });
  READ.set(object, manifest);
  return manifest;
}

/** Read conditions with ETags as the backend knows them; the backend evaluates them. */
export function readConditions(conditions: Conditions): Conditions {
  return {
    ...conditions,
    ifMatch: backendEtags(conditions.ifMatch),
    ifNoneMatch: backendEtags(conditions.ifNoneMatch),
  };
}
