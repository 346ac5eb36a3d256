import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { KeyName, KeySource, WrappingKey } from '../../../src/encryption/key-source.ts';
import type { KeySourceRow } from '../../../src/encryption/sources/row.ts';
import { GatewayError } from '../../../src/errors.ts';
import { fingerprintOf } from '../../../src/keys/fingerprint.ts';
import { setting } from '../../../src/settings/forms/setting.ts';
import { text } from '../../../src/settings/forms/values.ts';

/** One fixed key for each tenant, under a name of its own in the envelope. */
export class ToyKeySource implements KeySource {
  readonly form = 'kms';
  readonly scope: string;
  readonly #ringId: string;
  readonly #key: KeyObject;
  readonly #keyId: string;

  constructor(tenant: string, keyId = 'toy') {
    this.scope = `toy ${tenant}`;
    this.#keyId = keyId;
    this.#ringId = createHash('sha256').update(tenant).digest('hex').slice(0, 16);
    this.#key = createSecretKey(createHash('sha256').update(`toy key of ${tenant}`).digest());
  }

  async forNew(): Promise<WrappingKey> {
    const key = this.#key;
    const told = { kind: 'kms', keyId: this.#keyId } as const;
    return { ringId: this.#ringId, version: 7, key, fingerprint: fingerprintOf(key), told };
  }

  async forExisting({ ringId, version }: KeyName): Promise<WrappingKey> {
    if (ringId === this.#ringId && version === 7) return this.forNew();
    throw new GatewayError('KeyUnavailable', 'The toy has no such key.', { source: 'keys' });
  }
}

const settings = {
  toy: z.strictObject({ keyId: setting(text(), 'What clients see as the name of the toy’s keys.') }).optional(),
};

/** Keys of the toy, where `encryption.toy` asks for them. */
export const toyRow: KeySourceRow<typeof settings> & { closed: number } = {
  closed: 0,
  settings,
  open: (_parts, { toy }) =>
    toy && {
      of: ({ tenant }) => new ToyKeySource(tenant.name, toy.keyId),
      close: async () => void toyRow.closed++,
    },
};
