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
    try {
      return await super.removeTenant(name, options);
    } finally {
      // Also where nothing is left to remove: a removal that was cut off may have left what sidecars read.
      await this.#views.publish(name);
    }
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
    const tenant = await this.#tenantOf(accessKeyId);
    if (tenant !== undefined) await this.#views.publish(tenant);
  }

  override async revokeCredential(accessKeyId: string): Promise<boolean> {
    const tenant = await this.#tenantOf(accessKeyId);
    const revoked = await super.revokeCredential(accessKeyId);
    // Whose it was nobody can say any more of one that is gone: it may have been ended, and not for sidecars.
    const tenants = tenant === undefined ? (await this.listTenants()).map(({ name }) => name) : [tenant];
    for (const name of tenants) await this.#views.publish(name);
    return revoked;
  }

  override async rotateKey(name: string): Promise<KeyRing> {
    const ring = await super.rotateKey(name);
    await this.#views.publish(name);
    return ring;
  }
}
