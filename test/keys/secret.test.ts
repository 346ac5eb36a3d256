import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret, timingSafeEqualBytes } from '../../src/secret.ts';

describe('Secret', () => {
  it('prints as [secret] in every way there is', () => {
    const secret = new Secret('planted-secret');
    const printed = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
      inspect(secret),
      JSON.stringify(Object.entries(secret)),
    ];
    for (const text of printed) expect(text).not.toMatch(/planted|cGxhbnRlZ|706c616e/);
    expect(printed[0]).toBe('[secret]');
  });

  it('gives its value by name only, as a copy', () => {
    const secret = new Secret('päss');
    expect(secret.reveal()).toBe('päss');
    secret.bytes().fill(0);
    expect(secret.reveal()).toBe('päss');
    const source = Buffer.from('abc');
    const fromBytes = new Secret(source);
    source.fill(0);
    expect(fromBytes.reveal()).toBe('abc');
  });

  it('compares text, bytes and secrets', () => {
    const secret = new Secret('abc');
    expect([secret.equals('abc'), secret.equals(Buffer.from('abc')), secret.equals(new Secret('abc'))]).toEqual([
      true,
      true,
      true,
    ]);
    expect([secret.equals('abd'), secret.equals('ab'), secret.equals('')]).toEqual([false, false, false]);
    expect(timingSafeEqualBytes(Buffer.from('a'), Buffer.from('ab'))).toBe(false);
  });
});
