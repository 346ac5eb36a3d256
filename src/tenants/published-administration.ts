import type { KeyRing } from '../keys/key-ring.ts';
import type { IssuedCredential, RemovedTenant } from './administered.ts';
import { Administration, type AdministrationOptions } from './administration.ts';
import type { CredentialInput, TenantChange } from './administration-input.ts';
import { CREDENTIAL } from './credential.ts';
import type { SidecarViews } from './sidecar-views.ts';
import type { Tenant } from './tenant.ts';

/**
 * An administration whose changes reach sidecars too. If a change was made and could not be published, that is an error
 * nevertheless: repeating the change, or `tenant wrap-key`, publishes it.
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
      // The view is published even if nothing was left to remove: an earlier removal that failed may have left what
      // sidecars read.
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
    // If the access key is gone, its tenant is unknown. An earlier revocation may have failed to reach the sidecars, so
    // all views are published.
    const tenants = tenant === undefined ? (await this.listTenants()).map(({ name }) => name) : [tenant];
    for (const name of tenants) await this.#views.publish(name);
    return revoked;
  }

  override async addKey(name: string, keyName: string): Promise<KeyRing> {
    const ring = await super.addKey(name, keyName);
    await this.#views.publish(name);
    return ring;
  }

  override async rotateKey(name: string): Promise<KeyRing> {
    const ring = await super.rotateKey(name);
    await this.#views.publish(name);
    return ring;
  }
}
