import { Protections } from '../../formats/protection.ts';
import { FORMATS } from '../../formats/table.ts';
import { openBackend } from '../../gateway/open-backend.ts';
import type { KeyRing } from '../../keys/key-ring.ts';
import type { Config } from '../../settings/config.ts';
import type { RemovedTenant } from '../../tenants/administered.ts';
import { policyFor, type Tenant } from '../../tenants/tenant.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
} from '../shell/command.ts';
import { confirm } from '../shell/confirm.ts';
import { describeError } from '../shell/describe-error.ts';
import { ObjectClient } from '../shell/object-client.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { printable } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';

const NOTHING_REMOVED = 'Nothing was removed.';

export const tenantRemove: Command = {
  usage: `tenant remove NAME [options]

Refuses while the tenant's keys protect objects in the backend: without the keys nobody can read them.

      --force         Remove all the same: those objects become unreadable for ever.
      --keep-keys     Remove tenant and access keys, leave the keys: \`tenant add NAME --key-ring ID\` brings it back.
  -y, --yes           Do not ask. Needed where nobody can be asked, unless --force is there.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...JSON_OPTION,
      force: { type: 'boolean' },
      'keep-keys': { type: 'boolean' },
      yes: { type: 'boolean', short: 'y' },
    } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const name = required(positionals[0], 'NAME');
    // A script that forces the removal has answered the question with that; a person is asked nevertheless.
    const answered = values.yes === true || (values.force === true && !terminal.interactive);
    const printRemoved = (removed: RemovedTenant, destroyKeys: boolean): number => {
      if (values.json) terminal.print(JSON.stringify({ removed: name, ...removed }));
      else
        terminal.print(`Removed tenant ${name}, its access keys${destroyKeys ? ' and its keys' : '; its keys stay'}.`);
      return EXIT_OK;
    };
    return withStores({ config: values.config, terminal }, async ({ administration }, config) => {
      const tenant = (await administration.listTenants()).find((each) => each.name === name);
      // If an earlier removal was interrupted, the claim on buckets and what sidecars read may be left; both are
      // removed, and keys stay.
      if (tenant === undefined) return printRemoved(await administration.removeTenant(name), false);
      const destroyKeys = values['keep-keys'] !== true;
      if (destroyKeys) {
        const rings = await administration.listKeys(name);
        const findings = await protectedBuckets(tenant, { config, rings });
        if (!isSafe(findings) && values.force !== true) throw new CommandFailed(refusal(tenant, findings));
        if (!answered) await confirm(terminal, consequences(tenant, findings), NOTHING_REMOVED);
      } else if (values.yes !== true) {
        await confirm(
          terminal,
          `Remove tenant ${name} and its access keys? Key ring ${tenant.ringId} stays.`,
          NOTHING_REMOVED,
        );
      }
      return printRemoved(await administration.removeTenant(name, { destroyKeys }), destroyKeys);
    });
  },
};

/** What the tenant's keys protect, as far as the backend tells. */
interface Findings {
  readonly holding: readonly string[];
  /** The rings of earlier tenants of this name. It is not known any more in which buckets their objects lie. */
  readonly leftRings: readonly string[];
  /** The names of the tenant's named keys, which go as well. They protect nothing but what lies in its buckets. */
  readonly namedKeys: readonly string[];
  /** Why it could not be found out. */
  readonly unknown: string | undefined;
}

async function protectedBuckets(
  tenant: Tenant,
  { config, rings }: { readonly config: Config; readonly rings: readonly KeyRing[] },
): Promise<Findings> {
  const holding: string[] = [];
  const leftRings = rings.flatMap(({ id, name }) => (name === undefined && id !== tenant.ringId ? [id] : []));
  const namedKeys = rings.flatMap(({ name }) => name ?? []);
  try {
    const backend = await openBackend(config);
    try {
      const client = new ObjectClient(backend);
      const protections = new Protections(FORMATS);
      for (const bucket of await client.bucketNames()) {
        // Objects in plaintext need no key.
        const policy = policyFor(tenant, bucket);
        if (policy === undefined || protections.formatsFor(policy).write.asSent) continue;
        if (await client.holdsObjects(bucket)) holding.push(bucket);
      }
    } finally {
      await backend.close();
    }
    return { holding, leftRings, namedKeys, unknown: undefined };
  } catch (error) {
    return { holding, leftRings, namedKeys, unknown: describeError(error) };
  }
}

function isSafe({ holding, leftRings, unknown }: Findings): boolean {
  return holding.length + leftRings.length === 0 && unknown === undefined;
}

function describeFindings({ holding, leftRings, unknown }: Findings): string {
  const parts: string[] = [];
  if (holding.length > 0) parts.push(`its keys protect objects in ${holding.map(printable).join(', ')}`);
  if (leftRings.length > 0) parts.push(`an earlier tenant of this name left key ring ${leftRings.join(', ')}`);
  if (unknown !== undefined) parts.push(`what its keys protect could not be found out: ${unknown}`);
  return parts.join('; ');
}

function refusal(tenant: Tenant, findings: Findings): string {
  return [
    `Tenant ${tenant.name} stays: ${describeFindings(findings)}.`,
    'Delete or move what they protect first, or keep the keys with --keep-keys. --force removes all of it; then every',
    'object that was sealed for this tenant is unreadable for ever, with or without the gateway.',
  ].join('\n');
}

function consequences(tenant: Tenant, findings: Findings): string {
  if (isSafe(findings)) {
    const { namedKeys } = findings;
    const named = namedKeys.length === 0 ? '' : ` and ${namedKeys.length} named keys`;
    return `Remove tenant ${tenant.name}, its access keys and key ring ${tenant.ringId}${named}?`;
  }
  return [
    `Tenant ${tenant.name}: ${describeFindings(findings)}.`,
    'Without its keys every object that was sealed for it is unreadable for ever. Remove it?',
  ].join('\n');
}
