import { clientError } from '../errors.ts';
import type { EncryptionForm } from '../operations/encryption.ts';
import type { KeySource } from './key-source.ts';
import type { KeyRequest, KeySourceParts, KeySourceTable, OpenKeySource } from './sources/table.ts';

/** The key sources of one process, opened from their table. */
export class KeySources {
  readonly #rows: ReadonlyMap<EncryptionForm, OpenKeySource>;

  constructor(table: KeySourceTable, parts: KeySourceParts) {
    this.#rows = new Map(
      Object.entries(table).map(([form, row]) => [form as EncryptionForm, (row as NonNullable<typeof row>)(parts)]),
    );
  }

  /** Whether anybody has keys for objects that are asked for in this form. */
  has(form: EncryptionForm): boolean {
    return this.#rows.has(form);
  }

  /**
   * The keys of one request; who says nothing gets managed ones.
   * @throws GatewayError NotImplemented for a form that nobody has keys for
   */
  open(request: KeyRequest): KeySource {
    const open = this.#rows.get(request.asked?.kind ?? 'managed');
    if (open === undefined) throw clientError('NotImplemented', 'Encryption in this form is not available.');
    return open(request);
  }
}
