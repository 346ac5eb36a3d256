import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openRedisStore } from '../../../src/keys/store/redis-store.ts';
import { Secret } from '../../../src/secret.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { eventually } from '../eventually.ts';
import { openStore, temporaryDirectory } from '../fixture.ts';

describe('Redis over TLS', () => {
  it('needs the right CA and shows its client certificate', async () => {
    const files = certificates(await temporaryDirectory());
    const redis = await startRedis({ tls: files });
    onTestFinished(() => redis.stop());
    const url = `rediss://127.0.0.1:${redis.port}`;
    const ca = readFileSync(files.ca, 'utf8');
    const cert = readFileSync(files.cert, 'utf8');
    const key = new Secret(readFileSync(files.key));
    const store = await openStore({ kind: 'redis', url, tls: { ca, cert, key } });
    let confirmed = 0;
    await store.watch(
      () => undefined,
      () => confirmed++,
    );
    await store.put('tenant/a', Buffer.from('1'));
    await eventually(2000, () => confirmed > 0);
    const unavailable = { code: 'KeyStoreUnavailable' };
    await expect(openRedisStore({ kind: 'redis', url, tls: { cert, key } })).rejects.toMatchObject(unavailable);
    await expect(openRedisStore({ kind: 'redis', url, tls: { ca } })).rejects.toMatchObject(unavailable);
  });
});

function certificates(directory: string): { ca: string; cert: string; key: string } {
  const file = (name: string): string => join(directory, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.pem'),
    '-days',
    '2',
    '-subj',
    '/CN=ca',
  );
  openssl(
    ...[
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      file('it.key'),
      '-out',
      file('it.pem'),
      '-days',
      '2',
      '-subj',
      '/CN=redis',
    ],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'basicConstraints=critical,CA:FALSE'],
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key')],
  );
  return { ca: file('ca.pem'), cert: file('it.pem'), key: file('it.key') };
}
