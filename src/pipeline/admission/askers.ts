import { ANONYMOUS } from '../../backend/identity.ts';
import type { BackendKey } from '../../tenants/backend-key.ts';
import type { OperationTools } from '../context.ts';
import type { HandlerServices } from '../handler-services.ts';

/**
 * The tools as each asker has them: the same, but that their store asks the backend with the asker's rights. An
 * operation's file takes the store that it is given, and so cannot ask with more.
 */
export class Askers {
  readonly services: HandlerServices;
  /** With the gateway's own key. */
  readonly #gateway: OperationTools;
  readonly #anonymous: OperationTools;
  /** By the key's object, which lives as long as the cached record that holds it. */
  readonly #callers = new WeakMap<BackendKey, OperationTools>();

  constructor(services: HandlerServices) {
    const { tools } = services;
    this.services = services;
    this.#gateway = tools;
    this.#anonymous = { ...tools, store: tools.store.as(ANONYMOUS) };
  }

  /** For requests that nobody signed. */
  get anonymous(): OperationTools {
    return this.#anonymous;
  }

  /** undefined: the gateway's own key. */
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
