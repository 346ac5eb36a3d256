import { checkAskedForms, customerKeysOf } from '../../src/encryption/rules.ts';
import { KEY_SOURCES } from '../../src/encryption/sources/table.ts';
import type { Operation } from '../../src/operations/operation.ts';

/**
 * An operation as admission lets it pass: what it asks of encryption is judged by the forms that the product has keys for.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function judged<T extends Operation>(operation: T): T {
  checkAskedForms(operation, { has: (form) => form in KEY_SOURCES });
  for (const key of customerKeysOf(operation)) key.check();
  return operation;
}
