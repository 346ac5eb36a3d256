import type { SaidBy } from '../../tenants/rules/decision.ts';
import { type BucketRule, RULE_FIELD_NAMES, type RuleFields } from '../../tenants/rules/rule.ts';

/** Renders a value of a rule: lists with commas. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** Renders what a rule says, as `require=kms keys=cards,pins`. */
export function fieldsText(fields: RuleFields): string {
  return RULE_FIELD_NAMES.filter((name) => fields[name] !== undefined)
    .map((name) => `${name}=${valueText(fields[name])}`)
    .join(' ');
}

/** Names the place where a rule was written, as compilers name places. */
export function placeText(by: SaidBy): string {
  return 'option' in by ? `tenant option --bucket ${by.option}` : `${by.file}:${by.line}:${by.column}`;
}

/** The same for scripts. */
export function placeForScripts(by: SaidBy) {
  if ('option' in by) return { source: 'option', bucket: by.option, file: null, line: null, column: null };
  const { bucket, file, line, column } = by;
  return { source: 'file', bucket, file, line, column };
}

/** The difference between the rules of one tenant, in lines. It is empty if they say the same, wherever they stand. */
export function difference(before: readonly BucketRule[], after: readonly BucketRule[]): string[] {
  const textOf = (rule: BucketRule): string => JSON.stringify([rule.bucket, fieldsText(rule.fields)]);
  const stays = (others: readonly BucketRule[]) => {
    const texts = new Set(others.map(textOf));
    return (rule: BucketRule): boolean => !texts.has(textOf(rule));
  };
  const gone = before.filter(stays(after));
  const added = after.filter(stays(before));
  const buckets = [...new Set([...gone, ...added].map(({ bucket }) => bucket))].sort();
  return buckets.flatMap((bucket) => {
    const [olds, news] = [gone, added].map((rules) => rules.filter((rule) => rule.bucket === bucket));
    const line = (sign: string) => (rule: BucketRule) =>
      `  ${sign} ${bucket}  ${fieldsText(rule.fields)}  (${placeText(rule)})`;
    if (olds?.length === 1 && news?.length === 1) return [changeLine(olds[0] as BucketRule, news[0] as BucketRule)];
    return [...(olds ?? []).map(line('-')), ...(news ?? []).map(line('+'))];
  });
}

function changeLine(before: BucketRule, after: BucketRule): string {
  const changes = RULE_FIELD_NAMES.map((name) => [name, valueText(before.fields[name]), valueText(after.fields[name])])
    .filter(([, old, now]) => old !== now)
    .map(([name, old, now]) => `${name}: ${old} → ${now}`);
  return `  ~ ${after.bucket}  ${changes.join('; ')}  (${placeText(after)})`;
}
