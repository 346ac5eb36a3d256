import type { KeyObject } from 'node:crypto';
import type { EncryptionFacts } from '../operations/encryption.ts';

/** What a stored object says of the key that its envelope was sealed under. Anybody may have written it there. */
export interface KeyName {
  /** 16 hex digits. */
  readonly ringId: string;
  /** From 1 on. */
  readonly version: number;
}

/** A key-encryption key (KEK) that wraps and unwraps the DEKs of objects. */
export interface WrappingKey extends KeyName {
  /** 32 bytes. */
  readonly key: KeyObject;
  /**
   * Equal for equal keys and for no others, within this process alone: what is remembered of objects that the key
   * opened is compared by it. It is made under a secret of the process's own, so that it tells nothing of the key.
   */
  readonly fingerprint: string;
  /** What clients may be told of objects that are sealed under this key. */
  readonly told: EncryptionFacts;
}

/**
 * Which keys one request seals and opens objects with. It is made once a request, from what the client asked and from the
 * bucket's policy (`sources/table.ts` has a row for each way of asking); formats know keys through this alone.
 */
export interface KeySource {
  /**
   * Says whose keys these are, without a line feed: two sources with the same scope open the same objects. The names of
   * what this process remembers of opened objects begin with it.
   */
  readonly scope: string;
  /**
   * The key for a new object.
   * @throws GatewayError KeyUnavailable, KeyStoreUnavailable
   */
  forNew(): Promise<WrappingKey>;
  /**
   * The key for an existing object, as its envelope names it.
   * @throws GatewayError KeyUnavailable when there is no such key (any more), KeyStoreUnavailable, ObjectCorrupted for a
   *   key of another tenant's
   */
  forExisting(named: KeyName): Promise<WrappingKey>;
}
