import type { Secret } from '../secret.ts';
import { heldProvider, type RootKeyProvider } from './provider.ts';
import { type RootKeyOptions, rootKeyFromText } from './root-key.ts';

/** The root key in an environment variable: 32 bytes in base64. */
export interface EnvRootKey {
  readonly kind: 'env';
  /** The variable's content. */
  readonly key: Secret;
  /** How a message names where it came from. */
  readonly source: string;
}

export function envProvider({ key, source }: EnvRootKey, options: RootKeyOptions): RootKeyProvider {
  return heldProvider(() => rootKeyFromText(key.reveal(), source, options));
}
