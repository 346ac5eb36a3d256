import { Secret } from '../../secret.ts';
import { generationField, listField, openPayload, type Payload, textField } from '../payload.ts';
import { recordName, UPLOAD_STATE_PREFIX } from '../record-name.ts';
import type { RootKey } from '../root/root-key.ts';

/**
 * What a sidecar needs of the key store, in one record under its tenant's own wrap key (docs/keys.md, "Sidecars"). It
 * is one record so that all of it is of one moment, and so that a Redis user can be given access to it alone.
 */
export interface TenantView {
  /** Grows with every view that is written for the tenant. */
  readonly generation: number;
  /** By name, each wrapped under the tenant's wrap key. */
  readonly records: ReadonlyMap<string, Buffer>;
}

/**
 * Returns the name under which a tenant's view lies. It is no record of the deployment, so it lies beside the states of
 * uploads, where neither listings nor the watch look, not even those of gateways of release 0.1.
 */
export function viewPlace(tenant: string): string {
  return `${UPLOAD_STATE_PREFIX}sidecar/${tenant}`;
}

/**
 * Returns the wrap key of one tenant, in base64 as in a root key's file. A sidecar that has it can do with this tenant
 * what the owner of the root key can, and nothing with another tenant.
 * @param tenantId an id that is new whenever a tenant of this name is made
 */
export async function tenantWrapKey(rootKey: RootKey, tenant: string, tenantId: string): Promise<Secret> {
  // A tenant's name has no slash, so no two tenants derive from the same bytes.
  const bytes = await rootKey.derive(`sealgate/tenant-wrap/v1/${tenant}/${tenantId}`);
  return new Secret(bytes.toString('base64'));
}

/**
 * Wraps a view into the bytes that a store keeps.
 * @param key the tenant's wrap key
 */
export function wrapView(tenant: string, { generation, records }: TenantView, key: RootKey): Promise<Buffer> {
  const payload = {
    generation,
    records: [...records].map(([name, bytes]) => ({ name, record: bytes.toString('base64') })),
  };
  return key.wrap(recordName('sidecar', tenant), Buffer.from(JSON.stringify(payload), 'utf8'));
}

/**
 * Opens a view.
 * @throws RecordUnreadable, GatewayError KeyStoreUnavailable
 */
export function openView(tenant: string, wrapped: Buffer, key: RootKey): Promise<TenantView> {
  return openPayload({ name: recordName('sidecar', tenant), wrapped }, key, decode);
}

function decode(payload: Payload): TenantView {
  const records = listField(payload, 'records').map((entry) => {
    return [textField(entry, 'name'), Buffer.from(textField(entry, 'record'), 'base64')] as const;
  });
  return { generation: generationField(payload), records: new Map(records) };
}
