import { clientError, type GatewayError } from '../../errors.ts';
import { parseIsoDate } from '../../wire/dates.ts';

/** The policy of a form: what its signer allows (S3 API reference, "sigv4-HTTPPOSTConstructPolicy"). */
export interface PostPolicy {
  readonly expiration: Date;
  readonly conditions: readonly PolicyCondition[];
  /** The smallest size of the file that all conditions `content-length-range` allow. */
  readonly minBytes: number;
  /** The greatest size of the file that they allow. */
  readonly maxBytes: number;
}

interface PolicyCondition {
  readonly operator: 'eq' | 'starts-with';
  /** The field's name in lower case, without the `$`. */
  readonly field: string;
  readonly value: string;
}

const BASE64 = /^[A-Za-z0-9+/\r\n]+={0,2}[\r\n]*$/;

/**
 * Reads a policy.
 * @param text the policy as it was signed: JSON in base64
 * @throws GatewayError InvalidPolicyDocument
 */
export function readPostPolicy(text: string): PostPolicy {
  if (!BASE64.test(text)) throw invalid('it is not base64');
  const document = parseJson(text);
  if (!isRecord(document)) throw invalid('it is not a JSON object');
  const { expiration, conditions, ...unknown } = document;
  const [more] = Object.keys(unknown);
  if (more !== undefined) throw invalid(`Unexpected: '${more.slice(0, 64)}'`);
  const date = typeof expiration === 'string' ? parseIsoDate(expiration) : undefined;
  if (date === undefined) throw invalid(`expiration must be a date in the form 2030-01-02T03:04:05Z`);
  if (!Array.isArray(conditions)) throw invalid('conditions must be a list');
  let [minBytes, maxBytes] = [0, Number.MAX_SAFE_INTEGER];
  const compared: PolicyCondition[] = [];
  for (const condition of conditions as readonly unknown[]) {
    if (isRange(condition)) {
      const [from, to] = readRange(condition);
      minBytes = Math.max(minBytes, from);
      maxBytes = Math.min(maxBytes, to);
    } else {
      compared.push(Array.isArray(condition) ? readComparison(condition) : readEquality(condition));
    }
  }
  return { expiration: date, conditions: compared, minBytes, maxBytes };
}

function parseJson(text: string): unknown {
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64'));
    // S3 has two escapes that JSON does not have: `\$`, which stands for a dollar sign, and `\v`.
    return JSON.parse(
      json.replace(/\\(.)/gs, (pair, escaped) => ({ $: '$', v: '\\u000b' })[escaped as string] ?? pair),
    );
  } catch {
    throw invalid('Invalid JSON');
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRange(condition: unknown): condition is readonly unknown[] {
  return Array.isArray(condition) && operatorOf(condition) === 'content-length-range';
}

function operatorOf([operator]: readonly unknown[]): string | undefined {
  return typeof operator === 'string' ? operator.toLowerCase() : undefined;
}

function readRange(condition: readonly unknown[]): [min: number, max: number] {
  const [min, max] = condition.slice(1).map(wholeNumber);
  if (condition.length !== 3 || min === undefined || max === undefined || min > max) {
    throw invalid('Invalid content-length-range: it takes a minimum and a maximum, whole numbers of bytes');
  }
  return [min, max];
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function readComparison(condition: readonly unknown[]): PolicyCondition {
  const operator = operatorOf(condition);
  const [, field, value] = condition;
  if (operator !== 'eq' && operator !== 'starts-with') {
    throw invalid('Invalid Condition: its operator must be eq, starts-with or content-length-range');
  }
  if (condition.length !== 3 || typeof field !== 'string' || typeof value !== 'string' || !/^\$./.test(field)) {
    throw invalid(`Invalid Condition: ${operator} takes "$field" and a value, both strings`);
  }
  return { operator, field: field.slice(1).toLowerCase(), value };
}

function readEquality(condition: unknown): PolicyCondition {
  const entries = isRecord(condition) ? Object.entries(condition) : [];
  const [field, value] = entries[0] ?? [];
  if (field === undefined || field === '' || entries.length !== 1) {
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified');
  }
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string');
  return { operator: 'eq', field: field.toLowerCase(), value };
}

/** Fields of this prefix need no condition. */
const FREE_PREFIX = 'x-ignore-';

/**
 * Checks that the policy allows a form: every condition must hold, and every field must have a condition.
 * @param form `fields` are those before the file, by name in lower case, variables expanded, and `bucket` must be among
 *   them; `free` are those that need no condition
 * @throws GatewayError AccessDenied
 */
export function checkPostPolicy(
  policy: PostPolicy,
  { fields, free }: { readonly fields: ReadonlyMap<string, string>; readonly free: ReadonlySet<string> | 'all' },
  now: Date,
): void {
  if (policy.expiration.getTime() <= now.getTime()) throw denied('Policy expired.');
  for (const condition of policy.conditions) {
    if (!holds(condition, fields.get(condition.field))) {
      const { operator, field, value } = condition;
      throw denied(`Policy Condition failed: ${JSON.stringify([operator, `$${field}`, value]).slice(0, 256)}`);
    }
  }
  if (free === 'all') return;
  const named = new Set(policy.conditions.map(({ field }) => field));
  for (const field of fields.keys()) {
    if (named.has(field) || free.has(field) || field.startsWith(FREE_PREFIX)) continue;
    throw denied(`Extra input fields: ${field.slice(0, 256)}`);
  }
}

/** Whether a condition holds. As in S3, one on an absent field fails, even if it allows every value. */
function holds({ operator, field, value }: PolicyCondition, actual: string | undefined): boolean {
  if (actual === undefined) return false;
  if (operator === 'eq') return actual === value;
  // Content-Type may list several types, separated by commas. Each of them must meet the condition.
  const values = field === 'content-type' ? actual.split(',') : [actual];
  return values.every((each, at) => (at === 0 ? each : each.trimStart()).startsWith(value));
}

function denied(reason: string): GatewayError {
  return clientError('AccessDenied', `Invalid according to Policy: ${reason}`);
}

function invalid(reason: string): GatewayError {
  return clientError('InvalidPolicyDocument', `Invalid Policy: ${reason}.`);
}
