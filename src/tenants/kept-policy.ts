import { laterObject, listField, type Payload, PayloadInvalid, textField } from '../keys/payload.ts';
import type { ConditionKey, ConditionOperator, HeldCondition, HeldStatement } from '../operations/bucket-policy.ts';

/** The policy of a bucket as the gateway keeps it. Of policies without statements that it holds, it keeps nothing. */
export interface KeptPolicy {
  /** The document that the client sent. */
  readonly document: string;
  /** The statements of it that the gateway holds. */
  readonly statements: readonly HeldStatement[];
  /** Whether the store has a policy of the bucket, with the document's other statements. */
  readonly passes: boolean;
  /**
   * Statements of the policies before this one. They are held too until it is known that the store has changed its
   * part, so that no moment, and no failure, leaves less in force than some client was told.
   */
  readonly former: readonly HeldStatement[];
  /** The change that is under way; undefined where none is. */
  readonly change: { readonly id: string; readonly since: Date } | undefined;
}

const KEYS: ReadonlySet<unknown> = new Set<ConditionKey>(['method', 'keyId', 'customerAlgorithm']);
const OPERATORS: ReadonlySet<unknown> = new Set<ConditionOperator>([
  'Null',
  'StringEquals',
  'StringEqualsIfExists',
  'StringNotEquals',
  'StringNotEqualsIfExists',
]);

/**
 * Decodes the field `policy` of what is kept of a bucket (docs/keys.md). A condition that is not known makes the record
 * unreadable, so that no statement is passed over.
 * @throws PayloadInvalid
 */
export function decodePolicy(entry: Payload): KeptPolicy {
  const { passes } = entry;
  if (typeof passes !== 'boolean') throw new PayloadInvalid('passes');
  const change = laterObject(entry, 'change');
  return Object.freeze({
    document: textField(entry, 'document'),
    statements: listField(entry, 'statements').map(decodeStatement),
    passes,
    former: listField(entry, 'former').map(decodeStatement),
    change: change && { id: textField(change, 'id'), since: new Date(textField(change, 'since')) },
  });
}

/** Encodes a policy. The fields have one order, so that texts of equal policies are equal. */
export function encodePolicy({ document, statements, passes, former, change }: KeptPolicy): Payload {
  return {
    document,
    statements: statements.map(encodeStatement),
    passes,
    former: former.map(encodeStatement),
    change: change && { id: change.id, since: change.since.toISOString() },
  };
}

function decodeStatement(entry: Payload): HeldStatement {
  return {
    name: textField(entry, 'name'),
    actions: textsField(entry, 'actions'),
    resources: textsField(entry, 'resources'),
    conditions: listField(entry, 'conditions').map(decodeCondition),
  };
}

function decodeCondition(entry: Payload): HeldCondition {
  const { key, operator } = entry;
  if (!KEYS.has(key)) throw new PayloadInvalid('key');
  if (!OPERATORS.has(operator)) throw new PayloadInvalid('operator');
  return { key: key as ConditionKey, operator: operator as ConditionOperator, values: textsField(entry, 'values') };
}

function encodeStatement({ name, actions, resources, conditions }: HeldStatement): Payload {
  const encoded = conditions.map(({ key, operator, values }) => ({ key, operator, values }));
  return { name, actions, resources, conditions: encoded };
}

/** Returns a list of texts that has at least one. @throws PayloadInvalid */
function textsField(entry: Payload, field: string): readonly string[] {
  const value = entry[field];
  if (!Array.isArray(value) || value.length === 0) throw new PayloadInvalid(field);
  for (const text of value) if (typeof text !== 'string') throw new PayloadInvalid(field);
  return value as readonly string[];
}
