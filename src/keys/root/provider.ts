import type { RootKey } from './root-key.ts';

/**
 * Where the root key lies: a file, the environment, or a service that keeps it and wraps on request. A new kind is one
 * file, which brings its own settings, and one row of table.ts; test/keys/root/provider-contract.ts says what it must do.
 *
 * Root keys are asked for records alone, and what a record holds is cached opened (`RecordCache`). So a provider is off
 * the path of requests, and one that is slow or away is met only by records that are not cached.
 */
export interface RootKeyProvider {
  /**
   * The root keys. The first wraps; the others only unwrap, while one root key takes another's place.
   * @throws RootKeyInvalid when a key cannot be used, GatewayError KeyStoreUnavailable when the provider does not answer
   *   within its own time-out
   */
  open(): Promise<readonly [RootKey, ...RootKey[]]>;
  /**
   * Resolves when the keys can be used now; readiness asks it.
   * @throws GatewayError KeyStoreUnavailable within the provider's own time-out
   */
  check(): Promise<void>;
  /** Lets go of connections and timers. Keys that it gave may refuse from then on. */
  close(): Promise<void>;
}

/** A provider of keys that lie in this process: they are there or they are not, and nothing has to be asked again. */
export function heldProvider(read: () => Promise<RootKey> | RootKey): RootKeyProvider {
  return {
    open: async () => [await read()],
    check: async () => undefined,
    close: async () => undefined,
  };
}
