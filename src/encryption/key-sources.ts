import { clientError } from '../errors.ts';
import type { EncryptionForm } from '../operations/encryption.ts';
import type { KeySource } from './key-source.ts';
import type { KeyRequest, KeySourceParts, KeySourceTable, OpenKeySource } from './sources/table.ts';

/** Makes the key source of each request. There is one in a process, made from the table of key sources. */
export class KeySources {
  readonly #rows: ReadonlyMap<EncryptionForm, OpenKeySource>;

  constructor(table: KeySourceTable, parts: KeySourceParts) {
    this.#rows = new Map(
      Object.entries(table).map(([form, row]) => [form as EncryptionForm, (row as NonNullable<typeof row>)(parts)]),
    );
  }

  /** Whether there are keys for objects whose encryption is asked for in this form. */
  has(form: EncryptionForm): boolean {
    return this.#rows.has(form);
  }

  /**
   * Makes the key source of one request. A request that asks for no encryption gets managed keys.
   * @throws GatewayError NotImplemented for a form for which there are no keys
   */
  open(request: KeyRequest): KeySource {
    const open = this.#rows.get(request.asked?.kind ?? 'managed');
    if (open === undefined) throw clientError('NotImplemented', 'Encryption in this form is not available.');
    return open(request);
  }
}
