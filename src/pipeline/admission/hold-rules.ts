import { refusedEncryption } from '../../encryption/policy.ts';
import { clientError } from '../../errors.ts';
import { changesAnything } from '../../operations/changes.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { Operation } from '../../operations/operation.ts';
import type { Decision } from '../../tenants/rules/decision.ts';
import type { RuleField } from '../../tenants/rules/rule.ts';
import { Networks } from '../../wire/networks.ts';
import type { OperationContext } from '../context.ts';

/** What a rule is held against: who sent the request, and in which dialect. */
type Asker = Pick<OperationContext, 'said' | 'client' | 'trace'>;

/** The networks of rules. A rule's list lives as long as the rules that are in force. */
const compiled = new WeakMap<readonly string[], Networks>();

/**
 * Holds an operation against the rules for its bucket.
 * @param encryption how a new object is to be encrypted: what the request asks, or else the bucket's default
 * @throws GatewayError AccessDenied; the trace then names the rule
 */
export function holdRules(operation: Operation, encryption: AskedEncryption | undefined, asker: Asker): void {
  const { said } = asker;
  holdUse(asker);
  if (said.readOnly?.value === true && changesAnything(operation)) {
    throw refused('readOnly', 'The bucket is read-only.', asker);
  }
  const refusal = refusedEncryption(operation, encryption, said);
  if (refusal !== undefined) throw refused(refusal.field, refusal.message, asker);
}

/**
 * Holds a request against the rules that say from where and how a bucket may be used, whatever is done there. They are
 * all that matter for the bucket of a copy's source.
 * @throws GatewayError AccessDenied; the trace then names the rule
 */
export function holdUse(asker: Asker): void {
  const { said, client, trace } = asker;
  if (said.networks !== undefined && !networksOf(said.networks.value).contains(client.address)) {
    throw refused('networks', 'The bucket may not be used from this network.', asker);
  }
  if (said.minTls !== undefined && !(client.tls !== undefined && client.tls >= said.minTls.value)) {
    const message = `The bucket may be used over TLS ${said.minTls.value} or later only, up to the gateway itself.`;
    throw refused('minTls', message, asker);
  }
  if (said.dialects !== undefined && !said.dialects.value.includes(trace.dialect ?? '')) {
    throw refused('dialects', 'The bucket may not be used in this dialect.', asker);
  }
}

function networksOf(list: readonly string[]): Networks {
  let networks = compiled.get(list);
  if (networks === undefined) {
    networks = new Networks(list);
    compiled.set(list, networks);
  }
  return networks;
}

/** Makes the error, and leaves in the trace which rule it is that refuses. */
function refused(field: RuleField, message: string, { said, trace }: Asker): Error {
  trace.rule = ruleName(field, said);
  return clientError('AccessDenied', message);
}

function ruleName(field: RuleField, said: Decision['said']): string {
  const by = said[field]?.by;
  const place = by === undefined || 'option' in by ? `--bucket ${by?.option}` : `${by.file}:${by.line}:${by.column}`;
  return `${place} ${field}`;
}
