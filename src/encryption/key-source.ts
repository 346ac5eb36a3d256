import type { EncryptionContext } from '../envelope/encryption-context.ts';
import type { KekBytes } from '../envelope/envelope-binding.ts';
import type { GatewayError } from '../errors.ts';
import type { EncryptionFacts, EncryptionForm } from '../operations/encryption.ts';

/** The ring id that stands in the envelopes of objects under a customer's key. */
export const CUSTOMER_RING = '0000000000000000';

/**
 * The version of a customer's key in what is sealed under it. Such keys have no versions: 0, which the first gateways
 * wrote, says that the object's location claim binds its id alone, and 1 that it binds its envelope (FORMAT.md §3.4).
 */
export const CUSTOMER_VERSION = 1;

/**
 * Names a KEK, as the envelope of a stored object does. The name is not authenticated: whoever can write to the store
 * may have put it there.
 */
export interface KeyName {
  /** The id of the key ring: 16 hex digits. They are all zero for a customer's key, and only then. */
  readonly ringId: string;
  /** The version in the key ring, from 1 on; 0 for a customer's key. */
  readonly version: number;
  /**
   * The form in which the encryption was asked for, as the envelope says. undefined stands for a managed key.
   */
  readonly form?: EncryptionForm | undefined;
}

/** A key-encryption key (KEK) that wraps and unwraps the DEKs of objects. */
export interface WrappingKey extends KeyName {
  /** The key itself, 32 bytes. */
  readonly key: KekBytes;
  /**
   * Tells within this process whether two keys are the same, so that what was remembered under one key is not used
   * under another. It is made with a random secret of the process, so it reveals nothing of the key.
   */
  readonly fingerprint: string;
  /** What clients are told of objects that are sealed under this key. */
  readonly told: EncryptionFacts;
  /** The encryption context to which a new object must be bound; undefined for none, and for existing objects. */
  readonly context?: EncryptionContext | undefined;
  /**
   * Makes the error for an envelope that does not open under this key. Absent where that means that the envelope was
   * altered (ObjectCorrupted).
   * @param cause what opening the envelope threw
   */
  readonly refusal?: ((cause: unknown) => GatewayError) | undefined;
}

/**
 * Gives the keys with which one request seals and opens objects. It is made once for a request, from the encryption
 * that the client asked for and the bucket's policy (`sources/table.ts` has a row for each form). Formats get keys from
 * here and from nowhere else.
 */
export interface KeySource {
  /** The form of encryption that new objects get. */
  readonly form: EncryptionForm;
  /**
   * Says whose keys these are. Sources with the same scope open the same objects, so caches of opened objects have the
   * scope in the names of their entries. It contains no line feed.
   */
  readonly scope: string;
  /**
   * The key for a new object.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable; KmsKeyNotFound, KmsKeyDisabled, KmsKeyInvalidState
   */
  forNew(): Promise<WrappingKey>;
  /**
   * The key for an existing object.
   * @param named the key that the object's envelope names
   * @throws GatewayError KeyUnavailable where there is no such key, or no longer; KeyStoreUnavailable; ObjectCorrupted
   *   where it names another tenant's key; CustomerKeyNeeded, CustomerKeyUnneeded; KmsKeyNotFound, KmsKeyDisabled,
   *   KmsKeyInvalidState
   */
  forExisting(named: KeyName): Promise<WrappingKey>;
  /**
   * All keys of the tenant's own ring that are alive, the newest first, for what must be tried because nothing tells
   * which key it has. Absent where the keys are not the ring's.
   * @throws GatewayError what `forExisting` throws
   */
  alive?(): Promise<readonly WrappingKey[]>;
  /**
   * The tenant's own keys. Set where the others are a customer's, which nobody has between two requests: what must be
   * done without them is done under the tenant's (location claims, the states of open uploads).
   */
  readonly tenantKeys?: KeySource | undefined;
  /**
   * Refuses an object that is stored as it was sent, where the request brings a key for it.
   * @throws GatewayError CustomerKeyUnneeded
   */
  refuseUnsealed?(): void;
}
