import { isAsAsked, type StoredEncryption, type StoreEncryption } from '../../dialects/store-encryption.ts';
import type { StoredAck, StoredObject } from '../../dialects/store-exchange.ts';
import type { GatewayError } from '../../errors.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { pinTo, type StoreCalls } from '../calls.ts';
import { isAbsence } from '../pin.ts';
import type { StoreEncrypter } from './encrypter.ts';
import { storedUnencrypted } from './refusals.ts';

/** A write that the store has acknowledged. */
export interface Written {
  readonly ref: ObjectRef;
  /** What the store was asked for; undefined where an earlier request began the upload. */
  readonly asked: StoreEncryption | undefined;
  readonly kind: StoreEncryption['kind'];
}

interface Means {
  /** Asks the store with the gateway's own rights. */
  readonly gateway: StoreCalls;
  readonly encrypter: StoreEncrypter;
}

/**
 * Sees whether what was written is encrypted. Where the store's answer says nothing of it, as MinIO's to copies and
 * Completes, the object itself is asked. The client's signal does not end this: what lies in clear must not stay.
 * @throws GatewayError BackendError where it is not; it is removed then. And what a HEAD throws
 */
export async function verifiedWrite(ack: StoredAck, written: Written, means: Means): Promise<StoredAck> {
  const { ref, asked } = written;
  const { encrypter } = means;
  const holds = (says: StoredEncryption) => asked === undefined || isAsAsked(asked, says);
  if (ack.encryptedAs !== undefined) {
    if (!holds(ack.encryptedAs)) throw await removed(ack, written, means);
    return { ...ack, told: encrypter.told(ack.encryptedAs) };
  }
  const object = await lookAt({ ...ref, versionId: ack.versionId }, means);
  // Another object may lie there by now, whose own write is judged by itself.
  if (object === undefined || object.etag !== ack.etag) return { ...ack, told: encrypter.toldOfNew };
  const { encryptedAs } = object;
  if (encryptedAs !== undefined && holds(encryptedAs)) return { ...ack, told: encrypter.told(encryptedAs) };
  // An upload that was begun under a policy of sealing stays sealed when the policy changes.
  if (encryptedAs === undefined && asked === undefined && encrypter.isProtected(object)) return ack;
  throw await removed(ack, written, means);
}

function lookAt(ref: ObjectRef, { gateway }: Means): Promise<StoredObject | undefined> {
  const { signal } = new AbortController();
  const head = gateway.run(gateway.dialect.calls.head, { ref, conditions: {} }, { signal });
  return head.catch((error: unknown) => {
    if (isAbsence(error)) return undefined;
    throw error;
  });
}

/** Removes what lies in clear, and makes the error that says so. */
async function removed(ack: StoredAck, { ref, kind }: Written, { gateway, encrypter }: Means): Promise<GatewayError> {
  encrypter.noteUnprotected();
  encrypter.memory.distrust(kind);
  const { conditionalDeletes } = gateway.options.findings.capabilities;
  const conditions = ack.versionId === undefined && conditionalDeletes ? pinTo(ack) : {};
  const target = { ref: { ...ref, versionId: ack.versionId }, conditions };
  const { signal } = new AbortController();
  const removal = gateway.run(gateway.dialect.calls.delete, target, { signal });
  const wasRemoved = await removal.then(
    () => true,
    () => false,
  );
  return storedUnencrypted(kind, wasRemoved);
}
