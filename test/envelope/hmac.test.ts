import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { hmacSha256 } from '../../src/envelope/hmac.ts';
import fc, { runs } from '../support/property.ts';

test('RFC 4231 §4.2, §4.3', () => {
  expect(hmacSha256(Buffer.alloc(20, 0x0b), Buffer.from('Hi There')).toString('hex')).toBe(
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  );
  expect(hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')).toString('hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('is node’s HMAC for keys up to a block', () => {
  const keys = fc.uint8Array({ maxLength: 64 });
  const messages = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(keys, messages, (key, message) => {
      expect(hmacSha256(Buffer.from(key), Buffer.from(message))).toEqual(
        createHmac('sha256', key).update(message).digest(),
      );
    }),
    { numRuns: runs(300) },
  );
});

test('refuses a key that would have to be hashed first', () => {
  expect(() => hmacSha256(Buffer.alloc(65), Buffer.alloc(0))).toThrow(RangeError);
});
