import type { Config } from '../config.ts';
import { openBackend } from '../gateway.ts';
import { policyFor, type Tenant } from '../tenants/tenant.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
} from './command.ts';
import { describeError } from './describe-error.ts';
import { ObjectClient } from './object-client.ts';
import { EXIT_OK, type Terminal } from './terminal.ts';
import { printable } from './text-table.ts';
import { withStores } from './with-stores.ts';

export const tenantRemove: Command = {
  words: ['tenant', 'remove'],
  summary: 'Remove a tenant, its access keys and its keys, for ever.',
  usage: `tenant remove NAME [options]

Refuses while the tenant's keys protect objects in the backend: without the keys nobody can read them.

      --force         Remove all the same: those objects become unreadable for ever.
  -y, --yes           Do not ask.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...JSON_OPTION,
      force: { type: 'boolean' },
      yes: { type: 'boolean', short: 'y' },
    } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const name = required(positionals[0], 'NAME');
    return withStores({ config: values.config, terminal }, async ({ administration }, config) => {
      const tenant = (await administration.listTenants()).find((each) => each.name === name);
      if (tenant === undefined) throw new CommandFailed(`There is no tenant ${name}.`);
      const findings = await protectedBuckets(tenant, config);
      if (!isSafe(findings) && values.force !== true) throw new CommandFailed(refusal(tenant, findings));
      if (values.yes !== true) await confirm(terminal, consequences(tenant, findings));
      await administration.removeTenant(name, { destroyKeys: true });
      terminal.print(
        values.json ? JSON.stringify({ removed: name }) : `Removed tenant ${name}, its access keys and keys.`,
      );
      return EXIT_OK;
    });
  },
};

/** What the tenant's keys protect, as far as the backend says. */
interface Findings {
  readonly holding: readonly string[];
  /** Why it could not be found out. */
  readonly unknown: string | undefined;
}

async function protectedBuckets(tenant: Tenant, config: Config): Promise<Findings> {
  const holding: string[] = [];
  try {
    const backend = await openBackend(config);
    try {
      const client = new ObjectClient(backend);
      for (const bucket of await client.bucketNames()) {
        // Objects in the clear need no key.
        if (policyFor(tenant, bucket)?.protection !== 'seal') continue;
        if (await client.holdsObjects(bucket)) holding.push(bucket);
      }
    } finally {
      await backend.close();
    }
    return { holding, unknown: undefined };
  } catch (error) {
    return { holding, unknown: describeError(error) };
  }
}

function isSafe({ holding, unknown }: Findings): boolean {
  return holding.length === 0 && unknown === undefined;
}

function describeFindings({ holding, unknown }: Findings): string {
  const parts: string[] = [];
  if (holding.length > 0) parts.push(`its keys protect objects in ${holding.map(printable).join(', ')}`);
  if (unknown !== undefined) parts.push(`what its keys protect could not be found out: ${unknown}`);
  return parts.join('; ');
}

function refusal(tenant: Tenant, findings: Findings): string {
  return [
    `Tenant ${tenant.name} stays: ${describeFindings(findings)}.`,
    'Delete or move those objects first. --force removes the tenant all the same; then every object that is sealed',
    `under key ring ${tenant.ringId} is unreadable for ever, with or without the gateway.`,
  ].join('\n');
}

function consequences(tenant: Tenant, findings: Findings): string {
  if (isSafe(findings)) return `Remove tenant ${tenant.name}, its access keys and key ring ${tenant.ringId}?`;
  return [
    `Tenant ${tenant.name}: ${describeFindings(findings)}.`,
    `Without key ring ${tenant.ringId} those objects are unreadable for ever. Remove it?`,
  ].join('\n');
}

/** @throws CommandFailed unless a person says yes */
async function confirm(terminal: Terminal, question: string): Promise<void> {
  if (!terminal.interactive) throw new CommandFailed(`${question}\nNobody is here to answer: repeat it with --yes.`);
  const answer = await terminal.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed('Nothing was removed.');
}
