import { ANONYMOUS } from '../backend/identity.ts';
import type { MemoryBudget } from '../shares/memory-budget.ts';
import type { BackendKey } from '../tenants/backend-key.ts';
import type { GatewayServices, PipelineServices } from './services.ts';

/**
 * The services as each asker has them: the same, but that their store asks the backend with the asker's rights. An
 * operation's file takes the store that it is given, and so cannot ask with more.
 */
export class Askers {
  /** With the gateway's own key. */
  readonly gateway: PipelineServices;
  /** The whole memory: of whose part a request takes is known only once it is read. */
  readonly budget: MemoryBudget;
  readonly #anonymous: PipelineServices;
  /** By the key's object, which lives as long as the cached record that holds it. */
  readonly #callers = new WeakMap<BackendKey, PipelineServices>();

  constructor(gateway: GatewayServices) {
    this.gateway = gateway;
    this.budget = gateway.budget;
    this.#anonymous = { ...gateway, store: gateway.store.as(ANONYMOUS) };
  }

  /** For requests that nobody signed. */
  get anonymous(): PipelineServices {
    return this.#anonymous;
  }

  /** undefined: the gateway's own key. */
  withKey(key: BackendKey | undefined): PipelineServices {
    if (key === undefined) return this.gateway;
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const { store } = this.gateway;
    const credentials = { accessKeyId: key.accessKeyId, secret: key.secret, region: store.region };
    const services = { ...this.gateway, store: store.as({ asker: 'caller', credentials }) };
    this.#callers.set(key, services);
    return services;
  }
}
