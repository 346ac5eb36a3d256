import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FRONTS } from '../../dialects/table.ts';
import { protectionWords } from '../../formats/table.ts';
import { nearestName } from '../../settings/nearest-name.ts';
import type { TenantRules } from '../../tenants/rules/rule-administration.ts';
import { MOST_RULES } from '../../tenants/rules/rule-records.ts';
import { describeTie, findTies } from '../../tenants/rules/ties.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, CommandFailed, readArguments, required } from '../shell/command.ts';
import { confirm } from '../shell/confirm.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { printable } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import { type FileRule, readRuleFile } from './rule-file.ts';
import { difference } from './rule-text.ts';

const PROBLEMS_SHOWN = 20;

/** The rules of a tenant that differ from those of the file. */
interface RuleChange {
  readonly before: TenantRules;
  readonly rules: readonly FileRule[];
  /** What differs, in lines; empty if only the places in the file do. */
  readonly lines: readonly string[];
}

export const policyApply: Command = {
  usage: `policy apply FILE [options]

Puts the rules of FILE in the place of all rules that are in force, for all tenants: all of them, or none where one is
wrong. The difference is shown first. It is in force on every gateway within a second.

    rules:
      - { tenant: acme, bucket: "pay-*", require: kms, keys: [cards], networks: [10.0.0.0/8], minTls: "1.3" }
      - { tenant: acme, bucket: "pay-archive", readOnly: true }

      --dry-run       Show the difference, and change nothing.
  -y, --yes           Do not ask. Needed where nobody can be asked.
${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      'dry-run': { type: 'boolean' },
      yes: { type: 'boolean', short: 'y' },
    } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const file = required(positionals[0], 'FILE');
    const yaml = readText(resolve(terminal.cwd, file), file);
    return withStores({ config: values.config, terminal }, async ({ rules }) => {
      const before = await rules.read();
      const changes = changesOf(before, yaml, file);
      const shown = changes.filter(({ lines }) => lines.length > 0);
      for (const change of shown) {
        terminal.print([`tenant ${change.before.tenant.name}`, ...change.lines].map(printable).join('\n'));
      }
      if (shown.length === 0) terminal.print('The rules in force say the same.');
      if (values['dry-run']) {
        terminal.print('Nothing was changed (--dry-run).');
        return EXIT_OK;
      }
      // Where a rule stands in its file changes nothing that anybody need agree to.
      if (shown.length > 0 && values.yes !== true) {
        await confirm(terminal, `Apply ${countText(shown.length, 'tenant')}?`, 'Nothing was changed.');
      }
      await rules.replace(changes);
      if (shown.length > 0)
        terminal.print(`Applied: in force within a second, for ${countText(shown.length, 'tenant')}.`);
      return EXIT_OK;
    });
  },
};

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailed(`The file ${file} cannot be read (${code ?? 'unknown error'}).`, { cause: error });
  }
}

/** @throws CommandFailed that names every problem of the file */
function changesOf(before: readonly TenantRules[], yaml: string, file: string): RuleChange[] {
  const protections = protectionWords();
  const dialects = FRONTS.map(({ name }) => name);
  const read = readRuleFile(yaml, file, { protections, dialects });
  const problems = [...read.problems];
  const byTenant = new Map<string, FileRule[]>(before.map(({ tenant }) => [tenant.name, []]));
  for (const rule of read.rules) {
    const rules = byTenant.get(rule.tenant);
    if (rules === undefined) problems.push(unknownTenant(rule, byTenant.keys()));
    else rules.push(rule);
  }
  for (const { tenant } of before) {
    const rules = byTenant.get(tenant.name) ?? [];
    if (rules.length > MOST_RULES) {
      problems.push(`${file}: tenant ${tenant.name} has ${rules.length} rules, and may have ${MOST_RULES}.`);
    }
    problems.push(...findTies(rules, tenant.buckets, protections[0]).map(describeTie));
  }
  if (problems.length > 0) throw new CommandFailed(problemsText(problems));
  return before
    .map((each) => {
      const rules = byTenant.get(each.tenant.name) ?? [];
      return { before: each, rules, lines: difference(each.rules, rules) };
    })
    .filter(({ before: { rules: old }, rules }) => JSON.stringify(old) !== JSON.stringify(rules.map(withoutTenant)));
}

/** The rule as it is kept: whose it is, the record says that names it. */
function withoutTenant({ bucket, file, line, column, fields }: FileRule) {
  return { bucket, file, line, column, fields };
}

function unknownTenant({ tenant, file, line, column }: FileRule, known: Iterable<string>): string {
  const meant = nearestName(tenant, known);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  return `${file}:${line}:${column}: There is no tenant ${JSON.stringify(tenant)}.${hint}`;
}

function problemsText(problems: readonly string[]): string {
  const rest = problems.length - PROBLEMS_SHOWN;
  return [
    `The policy has ${countText(problems.length, 'problem')}; nothing was changed:`,
    ...problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${printable(problem)}`),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ].join('\n');
}

function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
