import type { S3Operation } from '../../dialects/s3/operation-row.ts';
import { S3_OPERATIONS } from '../../dialects/s3/operation-table.ts';
import { beginsObject, writesObject } from '../../encryption/rules.ts';
import { protectionWords } from '../../formats/table.ts';
import type { Operation } from '../../operations/operation.ts';
import { nearestName } from '../../settings/nearest-name.ts';
import { CompiledRules } from '../../tenants/rules/compiled-rules.ts';
import { type Decision, decide } from '../../tenants/rules/decision.ts';
import { RULE_FIELD_NAMES, type RuleField, ruleDefaults } from '../../tenants/rules/rule.ts';
import type { TenantRules } from '../../tenants/rules/rule-administration.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
  UsageError,
} from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import { statementsAbout } from './explained-bucket-policy.ts';
import { placeForScripts, placeText, valueText } from './rule-text.ts';

/** What rules mean for an operation, before anything is known of a request. */
interface Verdict {
  /** `refused` whatever the request is; `depends` on the request; `allowed` as far as rules go. */
  readonly verdict: 'refused' | 'depends' | 'allowed';
  /** Why it is refused, or what a request must be like. */
  readonly reasons: readonly string[];
  /** The fields that refuse, or that are held against a request. */
  readonly fields: readonly RuleField[];
  /** The statements of the bucket's own policy that are held against a request, by their names. */
  readonly bucketPolicy: readonly string[];
}

export const policyExplain: Command = {
  usage: `policy explain --tenant NAME --bucket BUCKET --op OPERATION [options]

Says what holds for an operation in a bucket, and which rule says so: its file, line and column.

      --tenant NAME   The tenant whose access key the request has.
      --bucket NAME   The bucket, by its whole name.
      --op OPERATION  The operation, as S3 names it: PutObject, GetObject, PutBucketTagging.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const text = { type: 'string' } as const;
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, tenant: text, bucket: text, op: text } as const;
    const { values } = readArguments(args, options, { most: 0 });
    const name = required(values.tenant, '--tenant');
    const bucket = required(values.bucket, '--bucket');
    const operation = operationNamed(required(values.op, '--op'));
    const [found, kept] = await withStores({ config: values.config, terminal }, async (stores) => {
      const tenants = await stores.rules.read();
      const found = tenants.find(({ tenant }) => tenant.name === name);
      if (found === undefined) throw unknownTenant(name, tenants);
      return [found, (await stores.bucketDefaults.read(found.tenant, bucket))?.policy] as const;
    });
    const [defaultProtection] = protectionWords();
    const rules = new CompiledRules(found.rules, defaultProtection);
    const decision = decide({ buckets: found.tenant.buckets, rules }, bucket);
    const statements = kept === undefined ? [] : statementsAbout(operation, [...kept.statements, ...kept.former]);
    const verdict = verdictOn(operation, decision, statements);
    const asked = { tenant: name, bucket, op: operation.name };
    if (values.json)
      terminal.print(JSON.stringify({ ...asked, ...verdict, inForce: forScripts(decision) }, undefined, 2));
    else terminal.print(explained(asked, verdict, decision));
    return EXIT_OK;
  },
};

function operationNamed(name: string): S3Operation {
  const operation = S3_OPERATIONS.find((row) => row.name === name);
  if (operation !== undefined) return operation;
  const meant = nearestName(
    name,
    S3_OPERATIONS.map((row) => row.name),
  );
  throw new UsageError(`--op: there is no operation ${name}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`);
}

function unknownTenant(name: string, tenants: readonly TenantRules[]): Error {
  const meant = nearestName(
    name,
    tenants.map(({ tenant }) => tenant.name),
  );
  return new CommandFailed(`There is no tenant ${name}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`);
}

function verdictOn(
  { name, method, treatment, reason }: S3Operation,
  decision: Decision | undefined,
  bucketPolicy: readonly string[],
): Verdict {
  const refused = (why: string, fields: readonly RuleField[] = []): Verdict => {
    return { verdict: 'refused', reasons: [why], fields, bucketPolicy: [] };
  };
  if (treatment === 'refused') return refused(`The gateway does not do this operation: ${reason}.`);
  if (decision === undefined) return refused('The bucket is not one of this tenant’s.');
  const { said } = decision;
  if (said.readOnly?.value === true && method !== 'GET' && method !== 'HEAD') {
    return refused('The bucket is read-only, and the operation changes something.', ['readOnly']);
  }
  const held: [RuleField, string][] = [];
  const hold = (field: RuleField, words: string): void => void held.push([field, words]);
  if (said.networks !== undefined)
    hold('networks', `The client’s address must be in ${valueText(said.networks.value)}.`);
  if (said.minTls !== undefined) hold('minTls', `The client must be connected over TLS ${said.minTls.value} or later.`);
  if (said.dialects !== undefined) hold('dialects', `The dialect must be ${valueText(said.dialects.value)}.`);
  // Only its kind is looked at.
  const operation = { kind: name } as unknown as Operation;
  if (beginsObject(operation)) {
    const form = said.require?.value;
    if (form !== undefined && form !== 'any') hold('require', `The object must be encrypted in the form ${form}.`);
    if (said.keys !== undefined) hold('keys', `A KMS key must be one of ${valueText(said.keys.value)}.`);
  }
  if (writesObject(operation) && said.customerKeys?.value === 'refuse') {
    hold('customerKeys', 'The request must not bring a customer key.');
  }
  if (writesObject(operation) && said.customerKeys?.value === 'registered') {
    hold('customerKeys', 'A customer key that the request brings must be registered (customer-key add).');
  }
  const denying = bucketPolicy.map(
    (statement) => `The statement ${statement} of the bucket’s own policy must not deny it because of encryption.`,
  );
  return {
    verdict: held.length + denying.length > 0 ? 'depends' : 'allowed',
    reasons: [...held.map(([, words]) => words), ...denying],
    fields: held.map(([field]) => field),
    bucketPolicy,
  };
}

/** The value of each field, and who says it; the defaults where nobody does. */
function forScripts(decision: Decision | undefined) {
  if (decision === undefined) return null;
  const defaults = ruleDefaults(protectionWords());
  const standard = { source: 'default', bucket: null, file: null, line: null, column: null };
  return Object.fromEntries(
    RULE_FIELD_NAMES.map((field) => {
      const said = decision.said[field];
      return [
        field,
        said === undefined
          ? { value: defaults[field], ...standard }
          : { value: said.value, ...placeForScripts(said.by) },
      ];
    }),
  );
}

function explained(
  { tenant, bucket, op }: { readonly tenant: string; readonly bucket: string; readonly op: string },
  { verdict, reasons }: Verdict,
  decision: Decision | undefined,
): string {
  const means = { refused: 'refused', depends: 'allowed to requests that keep to the rules', allowed: 'allowed' };
  const lines = [`${op} in ${bucket}, for tenant ${tenant}: ${means[verdict]}.`, ...reasons.map((each) => `  ${each}`)];
  if (decision === undefined) return lines.join('\n');
  const defaults = ruleDefaults(protectionWords());
  const rows = RULE_FIELD_NAMES.map((field) => {
    const said = decision.said[field];
    if (said === undefined) return [field, valueText(defaults[field]), '-', 'default'];
    const pattern = 'option' in said.by ? said.by.option : said.by.bucket;
    return [field, valueText(said.value), pattern, placeText(said.by)];
  });
  return [...lines, '', textTable(['FIELD', 'VALUE', 'BUCKET', 'FROM'], rows)].join('\n');
}
