import type { BackendCredentials } from '../dialects/backend-dialect.ts';

/** With whose rights a request goes to the backend. */
export type Identity =
  | { readonly asker: 'gateway' | 'caller'; readonly credentials: BackendCredentials }
  | { readonly asker: 'anonymous'; readonly credentials: undefined };

/** Requests go out unsigned, so that the backend decides as for anybody. */
export const ANONYMOUS: Identity = { asker: 'anonymous', credentials: undefined };
