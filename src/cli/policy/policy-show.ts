import { protectionWords } from '../../formats/table.ts';
import type { SaidBy } from '../../tenants/rules/decision.ts';
import { fieldsOfOption, type RuleFields } from '../../tenants/rules/rule.ts';
import type { TenantRules } from '../../tenants/rules/rule-administration.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
} from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import { fieldsText, placeForScripts, placeText } from './rule-text.ts';

/** A rule in force, whether a file or an option of the tenant says it. */
interface ShownRule {
  readonly tenant: string;
  readonly bucket: string;
  readonly fields: RuleFields;
  readonly by: SaidBy;
}

export const policyShow: Command = {
  usage: `policy show [options]

Shows the rules that are in force: those of the file that was applied last, and what tenant add and tenant set say of
buckets (--bucket), where that differs from the defaults.

      --tenant NAME   Only those of this tenant.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, tenant: { type: 'string' } } as const;
    const { values } = readArguments(args, options, { most: 0 });
    const { tenant: only } = values;
    const tenants = await withStores({ config: values.config, terminal }, ({ rules }) => rules.read());
    const shown = tenants.filter(({ tenant }) => only === undefined || tenant.name === only);
    if (only !== undefined && shown.length === 0) throw new CommandFailed(`There is no tenant ${only}.`);
    const rules = shown.flatMap(rulesOf);
    if (values.json) terminal.print(JSON.stringify(rules.map(forScripts), undefined, 2));
    else if (rules.length === 0) terminal.print('No rules. Apply some: policy apply FILE');
    else terminal.print(textTable(['TENANT', 'BUCKET', 'RULE', 'FROM'], rules.map(rowOf)));
    return EXIT_OK;
  },
};

function rulesOf({ tenant, rules }: TenantRules): ShownRule[] {
  const { name, buckets } = tenant;
  const [defaultProtection] = protectionWords();
  return [
    ...buckets
      .map((option): ShownRule => {
        const { pattern } = option;
        return {
          tenant: name,
          bucket: pattern,
          fields: fieldsOfOption(option, defaultProtection),
          by: { option: pattern },
        };
      })
      .filter(({ fields }) => Object.keys(fields).length > 0),
    ...rules.map((rule): ShownRule => ({ tenant: name, bucket: rule.bucket, fields: rule.fields, by: rule })),
  ];
}

function rowOf({ tenant, bucket, fields, by }: ShownRule): string[] {
  return [tenant, bucket, fieldsText(fields), placeText(by)];
}

function forScripts({ tenant, bucket, fields, by }: ShownRule) {
  const { source, file, line, column } = placeForScripts(by);
  return { tenant, bucket, ...fields, source, file, line, column };
}
