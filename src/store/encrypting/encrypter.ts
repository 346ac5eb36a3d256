import type { StoredEncryption, StoreEncryption, StoreKey } from '../../dialects/store-encryption.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { KeyMemory } from './key-memory.ts';

/** Stands for "no key" where the version of a key is named. */
export const NO_KEY = 0;

/** A key under which an existing object may lie in the store. */
export interface KeyTry {
  /** The version of the tenant's key from which it is derived, or NO_KEY. */
  readonly version: number;
  /** Derives the key; undefined for NO_KEY. */
  key(): StoreKey | undefined;
}

/** How a new object is to be encrypted. */
export interface NewEncryption {
  readonly encryption: StoreEncryption;
  /** The version of the tenant's key from which the key of the object is derived, or NO_KEY. */
  readonly version: number;
}

/**
 * Says how a store is asked to encrypt the objects of one bucket by itself. It is made for one request of a client,
 * from what that asks and from the bucket's policy, and nothing of it is kept in the store.
 */
export interface StoreEncrypter {
  /**
   * How a new object or upload is to be encrypted.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable, KmsKeyNotFound …
   */
  forNew(ref: ObjectRef): Promise<NewEncryption>;
  /**
   * The keys under which an existing object may lie, in the order in which they are to be tried. One of them is NO_KEY.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable …
   */
  triesFor(ref: ObjectRef): Promise<readonly KeyTry[]>;
  /**
   * The key of an object that the store has opened with it; undefined for an object without one.
   * @param says what the store said of the object
   */
  keyFor(ref: ObjectRef, says: StoredEncryption | undefined): Promise<StoreKey | undefined>;
  /** Whether new objects and uploads have keys that the store does not keep, so that every request must bring them. */
  readonly bringsKeys: boolean;
  /** What clients are told of a new object. */
  readonly toldOfNew: EncryptionFacts;
  /** What clients are told of an existing object. It names no key of the gateway's own. */
  told(says: StoredEncryption): EncryptionFacts;
  /** Whether an object is protected at rest, by the store or because it lies there sealed. */
  isProtected(object: StoredObject): boolean;
  /** Is called when an object turns out not to be. */
  noteUnprotected(): void;
  /** What is remembered from earlier requests. */
  readonly memory: KeyMemory;
}
