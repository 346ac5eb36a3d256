import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { storeKeyOf } from '../../src/encryption/store-key.ts';

const kekOf = (fill: number) => createSecretKey(Buffer.alloc(32, fill));
const PLACE = { tenant: 'acme', bucket: 'acme-vault' };

it('is what docs/keys.md says, for ever', () => {
  // HKDF-SHA256 of one block (RFC 5869 §2), written out.
  const extracted = createHmac('sha256', 'sealgate store key 1').update(Buffer.alloc(32, 7)).digest();
  const expected = createHmac('sha256', extracted).update('acme\0acme-vault').update(Buffer.of(1)).digest();
  const { bytes, md5 } = storeKeyOf(kekOf(7), PLACE);
  expect(bytes.equals(expected)).toBe(true);
  expect(bytes.toString('hex')).toBe('03615563b83c4cec9e6d3419416afc616a8bce4e8d0134f766d8a4e630a34f4d');
  expect(md5.equals(createHash('md5').update(expected).digest())).toBe(true);
});

it('is remembered for a key, and not for another', () => {
  const kek = kekOf(7);
  const key = storeKeyOf(kek, PLACE);
  expect(storeKeyOf(kek, PLACE)).toBe(key);
  expect(storeKeyOf(kekOf(8), PLACE).bytes.equals(key.bytes)).toBe(false);
  for (let at = 0; at < 600; at++) storeKeyOf(kek, { ...PLACE, bucket: `b${at}` });
  expect(storeKeyOf(kek, PLACE).bytes.equals(key.bytes)).toBe(true);
});

it('is printed nowhere', () => {
  const key = storeKeyOf(kekOf(7), PLACE);
  const secrets = [key.bytes, key.md5].flatMap((bytes) => [bytes.toString('hex'), bytes.toString('base64')]);
  const printed = [
    String(key),
    JSON.stringify({ key }),
    inspect(key, { depth: 9 }),
    inspect({ kind: 'customer', key }),
  ];
  for (const text of printed) for (const secret of secrets) expect(text).not.toContain(secret);
});
