import type { RootKey } from './root-key.ts';

/**
 * Where the root key comes from: a file, the environment, or a service that keeps it and wraps on request. A new kind
 * is one file, which brings its own settings, and one row of table.ts; test/keys/root/provider-contract.ts says what it
 * must do.
 *
 * Root keys only wrap and unwrap records, and opened records are cached (`RecordCache`). So a provider is off the path
 * of requests, and one that is slow or unreachable affects only records that are not cached.
 */
export interface RootKeyProvider {
  /**
   * Returns the root keys. The first one wraps; the others only unwrap, while one root key replaces another.
   * @throws RootKeyInvalid if a key cannot be used, GatewayError KeyStoreUnavailable if the provider does not answer
   * within its own time-out
   */
  open(): Promise<readonly [RootKey, ...RootKey[]]>;
  /**
   * Resolves if the keys can be used now; readiness calls it.
   * @throws GatewayError KeyStoreUnavailable within the provider's own time-out
   */
  check(): Promise<void>;
  /** Closes connections and timers. Keys that it gave may refuse from then on. */
  close(): Promise<void>;
}

/** Makes the provider of keys that lie in this process, so that nothing can become unreachable later. */
export function heldProvider(read: () => Promise<RootKey> | RootKey): RootKeyProvider {
  return {
    open: async () => [await read()],
    check: async () => undefined,
    close: async () => undefined,
  };
}
