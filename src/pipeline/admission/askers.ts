import { ANONYMOUS } from '../../backend/identity.ts';
import type { BackendKey } from '../../tenants/backend-key.ts';
import type { OperationTools } from '../context.ts';
import type { HandlerServices } from '../handler-services.ts';

/**
 * Gives each asker its tools. They are the same for all, except that their store asks the backend with the asker's
 * rights. The code of an operation uses the store that it is given, and so cannot ask with more rights.
 */
export class Askers {
  readonly services: HandlerServices;
  /** The tools that ask with the gateway's own key. */
  readonly #gateway: OperationTools;
  readonly #anonymous: OperationTools;
  /** The tools of each caller. The key's object lives as long as the cached record that holds it, and so do they. */
  readonly #callers = new WeakMap<BackendKey, OperationTools>();

  constructor(services: HandlerServices) {
    const { tools } = services;
    this.services = services;
    this.#gateway = tools;
    this.#anonymous = { ...tools, store: tools.store.as(ANONYMOUS) };
  }

  /** The tools for requests that nobody signed. */
  get anonymous(): OperationTools {
    return this.#anonymous;
  }

  /** Returns the tools that ask with this key; undefined means the gateway's own. */
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
