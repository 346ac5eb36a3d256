import { listField, type Payload, PayloadInvalid, textField } from '../../keys/payload.ts';
import type { RecordKind } from '../../keys/records.ts';
import { type ProtectionWords, patternProblem } from '../bucket-policy.ts';
import { type BucketRule, RULE_FIELD_NAMES, type RuleFields, readField } from './rule.ts';

/** Names the rules that were applied for a tenant. They lie in several records, which are never changed. */
export interface RuleSetName {
  /** 16 hex digits, new whenever rules are applied. */
  readonly id: string;
  /** How many records the rules lie in. */
  readonly parts: number;
}

/** Some of a tenant's rules, as one record has them. */
export interface RulePart {
  readonly createdAt: Date;
  readonly rules: readonly BucketRule[];
}

/** The most rules of one tenant. */
export const MOST_RULES = 10_000;
/** How many rules one record has, so that no record is large and all of a tenant's are few. */
const RULES_A_PART = 250;

const SET_ID = /^[0-9a-f]{16}$/;

/** The names of the records in which a tenant's rules lie. */
export function partIds({ id, parts }: RuleSetName): string[] {
  return Array.from({ length: parts }, (_, at) => `${id}.${at}`);
}

/** Cuts rules into the records that hold them. */
export function partsOf(rules: readonly BucketRule[], createdAt: Date): RulePart[] {
  const parts: RulePart[] = [];
  for (let at = 0; at < rules.length; at += RULES_A_PART) {
    parts.push({ createdAt, rules: rules.slice(at, at + RULES_A_PART) });
  }
  return parts;
}

/** Decodes the field `rules` of a tenant's record; older records lack it. */
export function decodeRuleSet(entry: Payload | undefined): RuleSetName | undefined {
  if (entry === undefined) return undefined;
  const { parts } = entry;
  const most = Math.ceil(MOST_RULES / RULES_A_PART);
  if (typeof parts !== 'number' || !Number.isInteger(parts) || parts < 1 || parts > most) {
    throw new PayloadInvalid('rules');
  }
  return Object.freeze({ id: textField(entry, 'id', SET_ID), parts });
}

/** Makes the kind of records that hold rules (docs/keys.md, "rules"). */
export function ruleKind(protections: ProtectionWords): RecordKind<RulePart> {
  return {
    name: 'rules',
    decode: (payload) => ({
      createdAt: new Date(textField(payload, 'createdAt')),
      rules: listField(payload, 'rules').map((entry) => decodeRule(entry, protections)),
    }),
    encode: ({ createdAt, rules }) => ({
      createdAt: createdAt.toISOString(),
      rules: rules.map(({ bucket, file, line, column, fields }) => ({ bucket, file, line, column, ...fields })),
    }),
  };
}

function decodeRule(entry: Payload, protections: ProtectionWords): BucketRule {
  const fields: Record<string, unknown> = {};
  for (const field of RULE_FIELD_NAMES) {
    if (entry[field] === undefined) continue;
    const read = readField(field, entry[field], { protections, dialects: undefined });
    if ('problem' in read) throw new PayloadInvalid(field);
    fields[field] = read.value;
  }
  // A field of a later release must not be passed over: what it asks for would not be held.
  for (const name of Object.keys(entry)) if (!KNOWN.has(name)) throw new PayloadInvalid(name);
  const bucket = textField(entry, 'bucket');
  if (patternProblem(bucket) !== undefined) throw new PayloadInvalid('bucket');
  return Object.freeze({
    bucket,
    file: textField(entry, 'file'),
    line: positionOf(entry, 'line'),
    column: positionOf(entry, 'column'),
    fields: Object.freeze(fields) as RuleFields,
  });
}

const KNOWN: ReadonlySet<string> = new Set(['bucket', 'file', 'line', 'column', ...RULE_FIELD_NAMES]);

function positionOf(entry: Payload, field: 'line' | 'column'): number {
  const value = entry[field];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) throw new PayloadInvalid(field);
  return value;
}
