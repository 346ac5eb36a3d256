import { clientError, type GatewayError } from '../../../../errors.ts';
import type {
  ConditionKey,
  ConditionOperator,
  HeldCondition,
  HeldStatement,
} from '../../../../operations/bucket-policy.ts';
import { matchesWildcards } from '../../../../operations/wildcards.ts';

/*
 * Reads the statements of a bucket's policy that the gateway itself must hold: those with conditions on what requests
 * ask of encryption. Whatever of such a statement cannot be held exactly is refused by name, because a statement that
 * is taken and not held would let its author believe in a protection that is not there. Source: AWS's policy language
 * (IAM User Guide, "Grammar of the IAM JSON policy language"; "Condition operators").
 */

/** The keys of conditions that can be held, in lower case, because AWS compares names of keys without case. */
const KEYS: ReadonlyMap<string, ConditionKey> = new Map([
  ['s3:x-amz-server-side-encryption', 'method'],
  ['s3:x-amz-server-side-encryption-aws-kms-key-id', 'keyId'],
  ['s3:x-amz-server-side-encryption-customer-algorithm', 'customerAlgorithm'],
]);

const OPERATORS: readonly string[] = [
  'Null',
  'StringEquals',
  'StringEqualsIfExists',
  'StringNotEquals',
  'StringNotEqualsIfExists',
] satisfies readonly ConditionOperator[];

const HOLDABLE =
  'The gateway holds statements with Effect Deny, Principal "*", Action and Resource whose conditions are ' +
  `${OPERATORS.join(', ')} on ${[...KEYS.keys()].join(', ')}.`;

/** The action to which the keys belong, in lower case. */
const WRITING = 's3:putobject';
const ACTION = /^(?:\*|s3:[a-z*?]+)$/i;
const RESOURCE = 'arn:aws:s3:::';
/** Only such a Sid names its statement in the log; all others are counted. */
const PLAIN_SID = /^[\w .,:;=+@()/-]{1,128}$/;

const PARTS: ReadonlySet<string> = new Set([
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'],
]);

type Json = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a name in a policy, mostly a condition's key, is about what requests ask of encryption. */
export function speaksOfEncryption(name: string): boolean {
  return /x-amz-(?:copy-source-)?server-side/i.test(name);
}

/** The error for what is no policy in S3 either. */
export function malformedPolicy(message: string): GatewayError {
  return clientError('MalformedPolicy', message);
}

/**
 * Reads a statement. undefined where it has no condition on encryption, and so is the store's.
 * @param at its number in the policy, from 1
 * @throws GatewayError MalformedPolicy, NotImplemented
 */
export function heldStatement(
  statement: unknown,
  { at, bucket }: { readonly at: number; readonly bucket: string },
): HeldStatement | undefined {
  if (!isRecord(statement) || !isRecord(statement.Condition)) return undefined;
  const operators = Object.entries(statement.Condition);
  const speaks = ([, block]: [string, unknown]) => isRecord(block) && Object.keys(block).some(speaksOfEncryption);
  if (!operators.some(speaks)) return undefined;
  const { Sid: sid } = statement;
  const name = typeof sid === 'string' && PLAIN_SID.test(sid) ? sid : `statement ${at}`;
  const reader = new StatementReader(name, bucket);
  reader.checkParts(statement);
  return {
    name,
    actions: reader.actions(statement.Action),
    resources: reader.resources(statement.Resource),
    conditions: operators.flatMap(([operator, block]) => reader.conditions(operator, block)),
  };
}

class StatementReader {
  readonly #name: string;
  readonly #bucket: string;

  constructor(name: string, bucket: string) {
    this.#name = name;
    this.#bucket = bucket;
  }

  checkParts(statement: Json): void {
    const unknown = Object.keys(statement).find((part) => !PARTS.has(part));
    if (unknown !== undefined) throw this.#malformed(`unknown field ${shown(unknown)}`);
    for (const part of ['NotPrincipal', 'NotAction', 'NotResource']) {
      if (part in statement) throw this.#unheld(part);
    }
    if (statement.Effect === 'Allow') throw this.#unheld('Effect Allow with a condition on encryption');
    if (statement.Effect !== 'Deny') throw this.#malformed('the Effect must be Allow or Deny');
    const { Principal: principal } = statement;
    if (principal === undefined) throw this.#malformed('missing required field Principal');
    if (!isEverybody(principal)) throw this.#unheld('a Principal other than "*"');
  }

  actions(said: unknown): readonly string[] {
    const actions = this.#texts('Action', said);
    const wrong = actions.find((action) => !ACTION.test(action));
    if (wrong !== undefined) throw this.#malformed(`invalid action ${shown(wrong)}`);
    if (!actions.some((action) => matchesWildcards(action.toLowerCase(), WRITING))) {
      throw this.#malformed('conditions do not apply to combination of actions and resources');
    }
    return actions;
  }

  resources(said: unknown): readonly string[] {
    const paths = this.#texts('Resource', said).map((resource) => {
      if (resource.includes('${')) throw this.#unheld(`a policy variable in the Resource ${shown(resource)}`);
      const path = resource.startsWith(RESOURCE) ? resource.slice(RESOURCE.length) : undefined;
      const literal = path?.split(/[*?]/, 1)[0];
      const inBucket = literal === this.#bucket || literal?.startsWith(`${this.#bucket}/`) === true;
      if (path === undefined || !inBucket) throw this.#malformed(`invalid resource ${shown(resource)}`);
      return path;
    });
    if (paths.every((path) => path === this.#bucket)) {
      throw this.#malformed('action does not apply to any resource(s)');
    }
    return paths;
  }

  conditions(operator: string, block: unknown): readonly HeldCondition[] {
    if (!isRecord(block)) throw this.#malformed(`the condition ${shown(operator)} must be an object`);
    return Object.entries(block).map(([key, said]) => {
      const known = KEYS.get(key.toLowerCase());
      if (known === undefined) {
        if (speaksOfEncryption(key)) throw this.#malformed(`invalid condition key ${shown(key)}`);
        throw this.#unheld(`the condition ${shown(operator)} on ${shown(key)} beside one on encryption`);
      }
      if (!OPERATORS.includes(operator)) throw this.#unheld(`the condition ${shown(operator)} on ${shown(key)}`);
      const values = operator === 'Null' ? this.#flags(key, said) : this.#values(operator, key, said);
      return { key: known, operator: operator as ConditionOperator, values };
    });
  }

  #flags(key: string, said: unknown): readonly string[] {
    const flags = (Array.isArray(said) ? said : [said]).map((flag) => String(flag).toLowerCase());
    if (flags.length === 0 || flags.some((flag) => flag !== 'true' && flag !== 'false')) {
      throw this.#malformed(`the condition Null on ${shown(key)} must be "true" or "false"`);
    }
    return flags;
  }

  #values(operator: string, key: string, said: unknown): readonly string[] {
    const values = this.#texts(`condition ${operator} on ${key}`, said);
    const variable = values.find((value) => value.includes('${'));
    if (variable !== undefined) throw this.#unheld(`a policy variable in the condition on ${shown(key)}`);
    return values;
  }

  #texts(what: string, said: unknown): readonly string[] {
    const texts: readonly unknown[] = Array.isArray(said) ? said : [said];
    if (texts.length === 0 || texts.some((text) => typeof text !== 'string')) {
      throw this.#malformed(`the ${what.slice(0, 128)} must be a text, or a list of at least one`);
    }
    return texts as readonly string[];
  }

  #malformed(what: string): GatewayError {
    return malformedPolicy(`Policy has an error in ${this.#shownName()}: ${what}.`);
  }

  #unheld(what: string): GatewayError {
    const message = `The policy cannot be held because of ${what} in ${this.#shownName()}. ${HOLDABLE}`;
    return clientError('NotImplemented', message);
  }

  #shownName(): string {
    return this.#name.startsWith('statement ') ? this.#name : `the statement ${this.#name}`;
  }
}

/** A tenant is one principal, so there are only statements about everybody. */
function isEverybody(principal: unknown): boolean {
  if (principal === '*') return true;
  if (!isRecord(principal) || Object.keys(principal).join() !== 'AWS') return false;
  const { AWS: said } = principal;
  return said === '*' || (Array.isArray(said) && said.length > 0 && said.every((one) => one === '*'));
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 128));
}
