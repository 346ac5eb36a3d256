import { ANONYMOUS } from '../../backend/identity.ts';
import type { BackendKey } from '../../tenants/backend-key.ts';
import type { OperationTools } from '../context.ts';
import type { HandlerServices } from '../handler-services.ts';

/**
 * Makes the tools for each asker. They differ only in `store`, which sends its requests with the asker's rights. An
 * operation knows no other store than the one that it is given, so it cannot use anybody else's rights.
 */
export class Askers {
  readonly services: HandlerServices;
  /** The tools that use the gateway's own backend key. */
  readonly #gateway: OperationTools;
  readonly #anonymous: OperationTools;
  /** The tools of callers that have backend keys. A key's object lives as long as the cached record that holds it. */
  readonly #callers = new WeakMap<BackendKey, OperationTools>();

  constructor(services: HandlerServices) {
    const { tools } = services;
    this.services = services;
    this.#gateway = tools;
    this.#anonymous = { ...tools, store: tools.store.as(ANONYMOUS) };
  }

  /** The tools for requests without a signature. Their store sends unsigned requests. */
  get anonymous(): OperationTools {
    return this.#anonymous;
  }

  /** The tools for a caller. @param key the caller's own backend key; undefined stands for the gateway's own */
  withKey(key: BackendKey | undefined): OperationTools {
    if (key === undefined) return this.#gateway;
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const { store } = this.#gateway;
    const credentials = { accessKeyId: key.accessKeyId, secret: key.secret, region: store.region };
    const tools = { ...this.#gateway, store: store.as({ asker: 'caller', credentials }) };
    this.#callers.set(key, tools);
    return tools;
  }
}
