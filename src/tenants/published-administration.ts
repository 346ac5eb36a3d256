import type { KeyRing } from '../keys/key-rings.ts';
import {
  Administration,
  type AdministrationOptions,
  type IssuedCredential,
  type RemovedTenant,
} from './administration.ts';
import type { CredentialInput, TenantChange } from './administration-input.ts';
import { CREDENTIAL } from './credential.ts';
import type { SidecarViews } from './sidecar-views.ts';
import type { Tenant } from './tenant.ts';

/**
 * Administration whose changes reach sidecars too. A change that was made and could not be published is an error all
 * the same: repeating it, or `tenant wrap-key`, publishes it.
 */
export class PublishedAdministration extends Administration {
  readonly #views: SidecarViews;
  readonly #tenantOf: (accessKeyId: string) => Promise<string | undefined>;

  constructor(options: AdministrationOptions & { readonly views: SidecarViews }) {
    super(options);
    this.#views = options.views;
    this.#tenantOf = async (id) => (await options.records.read(CREDENTIAL, id))?.value.tenant;
  }

  override async removeTenant(name: string, options: { readonly destroyKeys?: boolean } = {}): Promise<RemovedTenant> {
    const removed = await super.removeTenant(name, options);
    await this.#views.publish(name);
    return removed;
  }

  override async changeTenant(name: string, change: TenantChange): Promise<Tenant> {
    const tenant = await super.changeTenant(name, change);
    await this.#views.publish(name);
    return tenant;
  }

  override async addCredential(name: string, input: CredentialInput = {}): Promise<IssuedCredential> {
    const issued = await super.addCredential(name, input);
    await this.#views.publish(name);
    return issued;
  }

  override async changeCredential(
    accessKeyId: string,
    change: Required<Pick<CredentialInput, 'backend'>>,
  ): Promise<void> {
    await super.changeCredential(accessKeyId, change);
    await this.#publishOf(await this.#tenantOf(accessKeyId));
  }

  override async revokeCredential(accessKeyId: string): Promise<boolean> {
    const tenant = await this.#tenantOf(accessKeyId);
    const revoked = await super.revokeCredential(accessKeyId);
    await this.#publishOf(tenant);
    return revoked;
  }

  override async rotateKey(name: string): Promise<KeyRing> {
    const ring = await super.rotateKey(name);
    await this.#views.publish(name);
    return ring;
  }

  async #publishOf(tenant: string | undefined): Promise<void> {
    if (tenant !== undefined) await this.#views.publish(tenant);
  }
}
