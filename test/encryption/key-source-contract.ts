import { describe, expect, it } from 'vitest';
import type { KeyName, KeySource } from '../../src/encryption/key-source.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { refusalOf } from '../pipeline/in-process.ts';

/** What a test prepares of a kind of key source: those of two tenants. */
export interface PreparedSource {
  /** A new one each time, as each request has one. */
  readonly open: () => KeySource;
  readonly otherTenants: () => KeySource;
  /** A name that no key of the tenant's has. */
  readonly unknown: readonly KeyName[];
  /** Names of KMS keys that were destroyed, or never were. Absent for a source without KMS keys. */
  readonly gone?: readonly KeyName[];
  /** What another tenant's key is refused with. */
  readonly foreign: ErrorCode;
}

/** What every key source must do. */
export function keySourceContract(name: string, prepare: () => Promise<PreparedSource>): void {
  describe(`${name}: the contract of key sources`, () => {
    it('has the key of a new object again, by the name that its envelope has', async () => {
      const { open } = await prepare();
      const sealing = await open().forNew();
      expect(sealing.ringId).toMatch(/^[0-9a-f]{16}$/);
      expect(sealing.version).toBeGreaterThan(0);
      expect(sealing.key.symmetricKeySize).toBe(32);
      const { ringId, version, told } = sealing;
      const opening = await open().forExisting({ ringId, version, form: told.kind });
      expect(opening.key.export()).toEqual(sealing.key.export());
      expect(opening).toMatchObject({ fingerprint: sealing.fingerprint, told: sealing.told });
      expect(open().scope).toBe(open().scope);
    });

    it('has no key of a name that is unknown', async () => {
      const { open, unknown, gone = [] } = await prepare();
      for (const named of unknown) expect(await refusalOf(open().forExisting(named))).toBe('KeyUnavailable');
      for (const named of gone) expect(await refusalOf(open().forExisting(named))).toBe('KmsKeyNotFound');
    });

    it('refuses another tenant’s key, and is told apart from the other’s', async () => {
      const { open, otherTenants, foreign } = await prepare();
      const theirs = await otherTenants().forNew();
      expect(await refusalOf(open().forExisting(theirs))).toBe(foreign);
      expect(theirs.fingerprint).not.toBe((await open().forNew()).fingerprint);
      expect(otherTenants().scope).not.toBe(open().scope);
    });

    it('tells nothing of a key but to who seals with it', async () => {
      const { open } = await prepare();
      const { key, ...rest } = await open().forNew();
      const shown = JSON.stringify([rest, open().scope, open()]);
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        expect(shown).not.toContain(key.export().toString(encoding));
      }
      expect(open().scope).not.toContain('\n');
    });
  });
}
