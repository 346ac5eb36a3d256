import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createGateway, type Gateway } from '../../src/gateway/gateway.ts';
import { loadConfig } from '../../src/settings/config.ts';
import { temporaryDirectory } from '../keys/fixture.ts';

async function started(dialects: Readonly<Record<string, unknown>>): Promise<Gateway> {
  const cwd = await temporaryDirectory();
  await writeFile(join(cwd, 'root.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  const overrides = {
    listen: '127.0.0.1:0',
    admin: 'off',
    'backend.directory': 'objects',
    'keys.root.file': 'root.key',
    'keys.store.file': 'keys.json',
    'log.level': 'error',
    ...dialects,
  };
  const gateway = await createGateway(loadConfig({ env: {}, cwd, overrides }), { admin: false });
  onTestFinished(() => gateway.stop());
  await gateway.start();
  return gateway;
}

async function refusalAt(url: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = await fetch(`${url}/bucket/key`, { headers });
  const body = await answer.text();
  return `${answer.status} ${/AccessDenied|InvalidAccessKeyId|permission_denied|invalid_access_key_id/.exec(body)} ${[
    'x-amz-request-id',
    'x-oss-request-id',
    'x-qs-request-id',
  ]
    .filter((name) => answer.headers.has(name))
    .join(' ')}`;
}

it('a dialect has a port of its own, which reads whatever comes as that dialect, and the other port speaks all', async () => {
  const gateway = await started({ 'dialects.oss.listen': '127.0.0.1:0', 'dialects.qingstor.listen': '127.0.0.1:0' });
  const own = gateway.dialectEndpoints;
  expect([...own.keys()].sort()).toEqual(['oss', 'qingstor']);
  const [oss, qingstor] = [own.get('oss') ?? '', own.get('qingstor') ?? ''];
  expect(new Set([gateway.endpoint, oss, qingstor]).size).toBe(3);
  expect(await refusalAt(gateway.endpoint)).toBe('403 AccessDenied x-amz-request-id');
  expect(await refusalAt(oss)).toBe('403 AccessDenied x-oss-request-id');
  expect(await refusalAt(qingstor)).toBe('403 permission_denied x-qs-request-id');
  const signed = { Date: new Date().toUTCString(), Authorization: 'QS nobody:c2lnbmF0dXJl' };
  expect(await refusalAt(gateway.endpoint, signed)).toMatch(/x-qs-request-id$/);
  expect(await refusalAt(oss, signed)).toMatch(/x-oss-request-id$/);
});

it('no dialect has a port of its own unless the settings give it one', async () => {
  expect([...(await started({})).dialectEndpoints]).toEqual([]);
});
