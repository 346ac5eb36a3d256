import { clientError } from '../errors.ts';
import type { EncryptionForm } from '../operations/encryption.ts';
import type { KeySource } from './key-source.ts';
import type { KeyRequest, KeySourceParts, OpenKeySources } from './sources/row.ts';
import type { KeySourceTable } from './sources/table.ts';

/** Makes the key source of each request. There is one in a process, made from the table of key sources. */
export class KeySources {
  readonly #opened = new Map<EncryptionForm, OpenKeySources>();

  /** @param section the section `encryption` of the settings, as it was read */
  constructor(table: KeySourceTable, parts: KeySourceParts, section: Readonly<Record<string, unknown>>) {
    for (const [form, row] of Object.entries(table)) {
      const opened = row.open(parts, section as never);
      if (opened !== undefined) this.#opened.set(form as EncryptionForm, opened);
    }
  }

  /** Whether there are keys for objects whose encryption is asked for in this form. */
  has(form: EncryptionForm): boolean {
    return this.#opened.has(form);
  }

  /**
   * Makes the key source of one request. A request that asks for no encryption gets managed keys.
   * @throws GatewayError NotImplemented for a form for which there are no keys
   */
  open(request: KeyRequest): KeySource {
    const opened = this.#opened.get(request.asked?.kind ?? 'managed');
    if (opened === undefined) throw clientError('NotImplemented', 'Encryption in this form is not available.');
    return opened.of(request);
  }

  /** Closes the connections and timers of the sources. */
  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((opened) => opened.close?.()));
  }
}
