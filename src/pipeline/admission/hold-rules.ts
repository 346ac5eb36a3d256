import { refusedEncryption } from '../../encryption/policy.ts';
import { writesObject } from '../../encryption/rules.ts';
import { clientError } from '../../errors.ts';
import { changesAnything } from '../../operations/changes.ts';
import type { AskedEncryption, CustomerKey } from '../../operations/encryption.ts';
import type { Operation } from '../../operations/operation.ts';
import type { Decision } from '../../tenants/rules/decision.ts';
import type { RuleField } from '../../tenants/rules/rule.ts';
import { Networks } from '../../wire/networks.ts';
import type { OperationContext } from '../context.ts';
import { reachableDecision } from './reachable.ts';

/** What rules are held against: who sent the request and for which tenant, and in which dialect. */
type Asker = Pick<OperationContext, 'tenant' | 'client' | 'trace' | 'staging'>;
type KeyedAsker = Asker & Pick<OperationContext, 'registeredKeys'>;
type Said = Decision['said'];

/** The networks of rules. A rule's list lives as long as the rules that are in force. */
const compiled = new WeakMap<readonly string[], Networks>();

/**
 * Holds an operation against the rules for its bucket. It comes before anybody looks at a customer's key.
 * @param bucket undefined for an operation on the whole service, of which no rule speaks
 * @param encryption how a new object is to be encrypted: what the request asks, or else the bucket's default
 * @returns a promise where keys must be asked for
 * @throws GatewayError AccessDenied, and the trace then names the rule; or what `RegisteredKeys.has` throws
 */
export function holdRules(
  operation: Operation,
  { bucket, encryption }: { readonly bucket: string | undefined; readonly encryption: AskedEncryption | undefined },
  asker: KeyedAsker,
): Promise<void> | undefined {
  if (bucket === undefined) return undefined;
  const said = holdUse(bucket, asker);
  if (said.readOnly?.value === true && changesAnything(operation)) {
    throw refused('readOnly', 'The bucket is read-only.', { said, asker });
  }
  const refusal = refusedEncryption(operation, encryption, said);
  if (refusal !== undefined) throw refused(refusal.field, refusal.message, { said, asker });
  if (said.customerKeys?.value !== 'registered' || encryption?.kind !== 'customer') return undefined;
  return writesObject(operation) ? holdRegistered(encryption.key, said, asker) : undefined;
}

/** Holds a customer key against those that the tenant has registered. */
async function holdRegistered(key: CustomerKey, said: Said, asker: KeyedAsker): Promise<void> {
  if (await asker.registeredKeys.has(asker.tenant, key)) return;
  const message = 'Objects of this bucket may be encrypted with registered keys of customers only.';
  throw refused('customerKeys', message, { said, asker });
}

/**
 * Holds a request against the rules that say from where and how a bucket may be used, whatever is done there. They are
 * all that matter for the bucket of a copy's source.
 * @returns what the rules say of the bucket; nothing of one that the tenant may not reach, which others refuse
 * @throws GatewayError AccessDenied; the trace then names the rule
 */
export function holdUse(bucket: string, asker: Asker): Said {
  const { client, trace } = asker;
  const said = reachableDecision(bucket, asker)?.said ?? {};
  const { networks } = said;
  if (networks !== undefined && (client.hidden === true || !networksOf(networks.value).contains(client.address))) {
    throw refused('networks', 'The bucket may not be used from this network.', { said, asker });
  }
  if (said.minTls !== undefined && !(client.tls !== undefined && client.tls >= said.minTls.value)) {
    const message = `The bucket may be used over TLS ${said.minTls.value} or later only, up to the gateway itself.`;
    throw refused('minTls', message, { said, asker });
  }
  if (said.dialects !== undefined && !said.dialects.value.includes(trace.dialect ?? '')) {
    throw refused('dialects', 'The bucket may not be used in this dialect.', { said, asker });
  }
  return said;
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
function refused(
  field: RuleField,
  message: string,
  { said, asker }: { readonly said: Said; readonly asker: Asker },
): Error {
  asker.trace.rule = ruleName(field, said);
  return clientError('AccessDenied', message);
}

function ruleName(field: RuleField, said: Said): string {
  const by = said[field]?.by;
  const place = by === undefined || 'option' in by ? `--bucket ${by?.option}` : `${by.file}:${by.line}:${by.column}`;
  return `${place} ${field}`;
}
