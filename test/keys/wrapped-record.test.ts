import { createDecipheriv, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RECORD_KINDS } from '../../src/keys/record-name.ts';
import { rootKeyFromText } from '../../src/keys/root/root-key.ts';
import { RecordUnreadable, WRAP_OVERHEAD_BYTES } from '../../src/keys/wrapped-record.ts';
import fc from '../support/property.ts';

const ROOT = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const rootKey = rootKeyFromText(ROOT.toString('base64'), 'test', { randomBytes: (n) => Buffer.alloc(n, 0xa5) });

describe('wrapped record', () => {
  it('has the layout of docs/keys.md, byte by byte', async () => {
    const wrapped = await rootKey.wrap('ring/0011223344556677', Buffer.from('{"a":1}'));
    expect(wrapped[0]).toBe(1);
    expect(wrapped[1]).toBe(RECORD_KINDS.ring);
    expect(wrapped.readUInt16BE(2)).toBe(0);
    expect(wrapped.toString('hex', 4, 16)).toBe(rootKey.id);
    expect(wrapped.subarray(16, 48)).toEqual(Buffer.alloc(32, 0xa5));
    expect(wrapped).toHaveLength(48 + 7 + 16);
    // Opened by hand, from the document alone.
    const wrapKey = Buffer.from(hkdfSync('sha256', ROOT, wrapped.subarray(16, 48), 'sealgate/record/v1', 32));
    const decipher = createDecipheriv('aes-256-gcm', wrapKey, Buffer.alloc(12));
    decipher.setAAD(Buffer.concat([Buffer.from('ring/0011223344556677'), wrapped.subarray(0, 48)]));
    decipher.setAuthTag(wrapped.subarray(-16));
    expect(decipher.update(wrapped.subarray(48, -16), undefined, 'utf8') + decipher.final('utf8')).toBe('{"a":1}');
  });

  it('has this known answer', async () => {
    expect(rootKey.id).toBe('a57a66448354cb7d8629cf1c');
    expect((await rootKey.wrap('tenant/acme', Buffer.from('{}'))).toString('hex')).toBe(
      `01010000a57a66448354cb7d8629cf1c${'a5'.repeat(32)}4d65efc495476dc9f13afb2dca38133d1a9c`,
    );
  });

  it('opens what it wrapped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom('tenant/a', 'credential/AK', 'canary/x'),
        async (bytes, name) => {
          const key = rootKeyFromText(ROOT.toString('base64'));
          const wrapped = await key.wrap(name, Buffer.from(bytes));
          expect(wrapped).toHaveLength(bytes.length + WRAP_OVERHEAD_BYTES);
          expect(await key.unwrap(name, wrapped)).toEqual(Buffer.from(bytes));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses every flipped bit and every cut, naming the record', async () => {
    const wrapped = await rootKey.wrap('tenant/acme', Buffer.from('{"name":"acme"}'));
    for (let i = 0; i < wrapped.length; i++) {
      const bent = Buffer.from(wrapped);
      bent[i] = bent[i]! ^ 0x10;
      await expect(rootKey.unwrap('tenant/acme', bent), `byte ${i}`).rejects.toThrow(RecordUnreadable);
      await expect(rootKey.unwrap('tenant/acme', wrapped.subarray(0, i)), `cut ${i}`).rejects.toThrow(
        'The record tenant/acme',
      );
    }
    await expect(rootKey.unwrap('tenant/acme', Buffer.concat([wrapped, Buffer.alloc(1)]))).rejects.toThrow(
      RecordUnreadable,
    );
  });

  it('refuses a record that was moved to another name', async () => {
    const wrapped = await rootKey.wrap('credential/MALLORY', Buffer.from('{}'));
    await expect(rootKey.unwrap('credential/ALICE', wrapped)).rejects.toThrow(
      'The record credential/ALICE of the key store cannot be read: its authentication fails',
    );
    await expect(rootKey.unwrap('tenant/MALLORY', wrapped)).rejects.toThrow('it is a record of another kind');
  });

  it('tells a wrong root key from tampering', async () => {
    const other = rootKeyFromText(Buffer.alloc(32, 9).toString('base64'));
    const wrapped = await rootKey.wrap('tenant/acme', Buffer.from('{}'));
    await expect(other.unwrap('tenant/acme', wrapped)).rejects.toThrow(
      `it is wrapped under the root key with id ${rootKey.id}, and the configured root key has id ${other.id}`,
    );
  });

  it('refuses names that are no record’s', async () => {
    for (const name of [
      '',
      'tenant',
      'tenant/',
      'tenant/a/b',
      'other/a',
      'tenant/a b',
      '__proto__/a',
      'constructor/a',
    ]) {
      await expect(rootKey.wrap(name, Buffer.from('{}')), name).rejects.toThrow(RecordUnreadable);
    }
  });
});
