import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { certificateExpiry, certificateProblem } from '../../src/settings/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealgate-pairs-'));
afterAll(() => rmSync(folder, { recursive: true }));

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
}

function made(name: string): { cert: string; key: string } {
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...algorithm, '-days', '30', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', name);
  return { cert: readFileSync(join(folder, name), 'utf8'), key: readFileSync(join(folder, `${name}.key`), 'utf8') };
}

const one = made('one');
const two = made('two');

function encrypted(): string {
  openssl('pkey', '-in', 'one.key', '-aes256', '-passout', 'pass:hunter2', '-out', 'encrypted.key');
  return readFileSync(join(folder, 'encrypted.key'), 'utf8');
}

describe('a certificate and its key', () => {
  it('that belong together are no problem, nor is a chain behind the first', () => {
    expect(certificateProblem(one)).toBeUndefined();
    expect(certificateProblem({ cert: one.cert + two.cert, key: one.key })).toBeUndefined();
  });

  it.each([
    ['two of different pairs', one.cert, () => two.key, 'key', /does not belong to the certificate/],
    ['a chain in the wrong order', two.cert + one.cert, () => one.key, 'key', /belongs to certificate 2 of the chain/],
    ['an encrypted key', one.cert, encrypted, 'key', /encrypted with a passphrase/],
    ['a key that is none', one.cert, () => one.key.replace(/\n\w{8}/, '\n????????'), 'key', /no private key/],
    ['a certificate for the key', one.cert, () => one.cert, 'key', /no private key/],
    ['a key for the certificate', one.key, () => one.key, 'cert', /no certificate/],
    [
      'a chain that breaks off',
      `${one.cert}${two.cert.replace(/\n\w{40}/, '\nAAAA')}`,
      () => one.key,
      'cert',
      /certificate 2/,
    ],
  ])('tell what is wrong: %s', (_what, cert, key, part, words) => {
    const found = certificateProblem({ cert, key: key() });
    expect(found).toEqual({ part, problem: expect.stringMatching(words) });
  });

  it('have their time', () => {
    const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);
    expect(certificateExpiry(one.cert, inDays(1))).toBeUndefined();
    expect(certificateExpiry(one.cert, inDays(20))).toMatch(/^expires at 20/);
    expect(certificateExpiry(one.cert, inDays(31))).toMatch(/^expired at 20/);
    expect(certificateExpiry(one.cert, inDays(-1))).toMatch(/^is valid from 20/);
  });
});
