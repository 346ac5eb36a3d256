import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { releaseBuffer } from '../../src/memory/release.ts';

const MIB = 1024 * 1024;

describe('a buffer that is given back', () => {
  test('is empty afterwards, and stays so when it is given back again', () => {
    const buffer = Buffer.allocUnsafeSlow(65_536).fill(7);
    releaseBuffer(buffer);
    expect(buffer.length).toBe(0);
    releaseBuffer(buffer);
    expect(buffer.length).toBe(0);
  });

  test('leaves no memory behind, without a collection', () => {
    const before = process.memoryUsage().arrayBuffers;
    const plaintext = Buffer.alloc(65_536);
    const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12));
    for (let at = 0; at < 4096; at++) releaseBuffer(cipher.update(plaintext)); // 256 MiB
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
  });
});

describe('what somebody else may hold is left alone', () => {
  test.each([
    ['the beginning of a larger buffer', (whole: Buffer) => whole.subarray(0, 65_536)],
    ['the end of a larger buffer', (whole: Buffer) => whole.subarray(65_536)],
  ])('%s', (_what, view) => {
    const whole = Buffer.allocUnsafeSlow(131_072).fill(7);
    releaseBuffer(view(whole));
    expect(whole.equals(Buffer.alloc(131_072, 7))).toBe(true);
  });

  test('a slice of node’s pool', () => {
    const neighbour = Buffer.from('neighbour');
    releaseBuffer(Buffer.allocUnsafe(4000));
    expect(neighbour.toString()).toBe('neighbour');
  });
});
