import type { ConditionKey, HeldCondition, HeldStatement } from '../../operations/bucket-policy.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import { matchesWildcards } from '../../operations/wildcards.ts';
import { keyNameIn } from '../key-id.ts';
import type { JudgedAction } from './actions.ts';

/**
 * Finds the statement that denies an action; undefined where none does. As in AWS's policy language, a statement
 * applies where an action, a resource and all conditions match.
 */
export function denyingStatement(
  statements: readonly HeldStatement[],
  judged: JudgedAction,
): HeldStatement | undefined {
  return statements.find((statement) => applies(statement, judged));
}

/** Compares the patterns of resources at last, because they take the most time. */
function applies({ actions, resources, conditions }: HeldStatement, judged: JudgedAction): boolean {
  const action = judged.action.toLowerCase();
  return (
    conditions.every((condition) => holds(condition, judged)) &&
    actions.some((pattern) => matchesWildcards(pattern.toLowerCase(), action)) &&
    resources.some((pattern) => judged.resources.some((resource) => matchesWildcards(pattern, resource)))
  );
}

/**
 * Whether a condition is true of a request. What a part or a Complete does not say of method and key, the request that
 * began the upload has said, and it was judged then. So such conditions are not true of it. A customer's key they send
 * themselves, as S3 asks of them where a bucket's policy demands such keys (CompleteMultipartUpload,
 * "x-amz-server-side-encryption-customer-algorithm").
 */
function holds({ key, operator, values }: HeldCondition, { asked, continues }: JudgedAction): boolean {
  if (continues && key !== 'customerAlgorithm') return false;
  const said = saidOf(key, asked);
  switch (operator) {
    case 'Null':
      return values.includes(String(said === undefined));
    case 'StringEquals':
      return said !== undefined && isAmong(said, key, values);
    case 'StringEqualsIfExists':
      return said === undefined || isAmong(said, key, values);
    // What is not there equals nothing. So a negated condition is true of it, with IfExists and without.
    case 'StringNotEquals':
    case 'StringNotEqualsIfExists':
      return said === undefined || !isAmong(said, key, values);
  }
}

/** What a request says: the value of the header that S3 has for it, or undefined where that is missing. */
function saidOf(key: ConditionKey, asked: AskedEncryption | undefined): string | undefined {
  switch (asked?.kind) {
    case undefined:
      return undefined;
    case 'managed':
      return key === 'method' ? asked.algorithm : undefined;
    case 'kms':
      return key === 'method' ? 'aws:kms' : key === 'keyId' ? asked.keyId : undefined;
    case 'customer':
      return asked.key.said[key === 'customerAlgorithm' ? 'algorithm' : key];
  }
}

/**
 * Whether a value is one of a condition's. A KMS key has several spellings (its name, an alias, an ARN). The condition
 * is on the key, so that no other spelling gets past it.
 */
function isAmong(said: string, key: ConditionKey, values: readonly string[]): boolean {
  if (key !== 'keyId') return values.includes(said);
  const named = keyNameIn(said) ?? said;
  return values.some((value) => (keyNameIn(value) ?? value) === named);
}
