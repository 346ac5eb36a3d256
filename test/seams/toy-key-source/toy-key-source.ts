import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import type { KeyName, KeySource, WrappingKey } from '../../../src/encryption/key-source.ts';
import type { KeySourceTable, OpenKeySource } from '../../../src/encryption/sources/table.ts';
import { GatewayError } from '../../../src/errors.ts';
import { fingerprintOf } from '../../../src/keys/fingerprint.ts';

/** The name that clients see of the toy's keys. */
export const TOY_KEY_ID = 'toy';

/** One fixed key for each tenant, under a name of its own in the envelope. */
export class ToyKeySource implements KeySource {
  readonly scope: string;
  readonly #ringId: string;
  readonly #key: KeyObject;

  constructor(tenant: string) {
    this.scope = `toy ${tenant}`;
    this.#ringId = createHash('sha256').update(tenant).digest('hex').slice(0, 16);
    this.#key = createSecretKey(createHash('sha256').update(`toy key of ${tenant}`).digest());
  }

  async forNew(): Promise<WrappingKey> {
    const key = this.#key;
    const told = { kind: 'kms', keyId: TOY_KEY_ID } as const;
    return { ringId: this.#ringId, version: 7, key, fingerprint: fingerprintOf(key), told };
  }

  async forExisting({ ringId, version }: KeyName): Promise<WrappingKey> {
    if (ringId === this.#ringId && version === 7) return this.forNew();
    throw new GatewayError('KeyUnavailable', 'The toy has no such key.', { source: 'keys' });
  }
}

const toy = (): OpenKeySource => (request) => new ToyKeySource(request.tenant.name);

/** Requests that ask for a KMS key get the toy's, and so do those that ask for nothing. */
export const TOY_SOURCES: KeySourceTable = { managed: toy, kms: toy };
