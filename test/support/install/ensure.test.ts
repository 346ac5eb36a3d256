import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TOOL_PLACES, tool } from '../tools.ts';
import { addCounts, countReport, formatCounts } from './counts.ts';
import { ensureTools, ToolsMissing } from './ensure.ts';
import { withLock } from './lock.ts';
import { clearStamp, compareVersions, type Recipe, readStamp, writeStamp } from './recipe.ts';

let cache: string;

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'sealgate-install-'));
  vi.stubEnv('SEALGATE_TEST_CACHE', cache);
  for (const { variable } of Object.values(TOOL_PLACES)) vi.stubEnv(variable, '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

/** A recipe that installs an empty program and counts how often it was asked. */
function recipe(name: Recipe['tool'], options: { fails?: string } = {}): Recipe & { installs: number } {
  const path = join(cache, name);
  let installed = false;
  return {
    tool: name,
    lane: 'apt',
    installs: 0,
    find: async () => (installed ? path : undefined),
    async install() {
      if (options.fails) throw new Error(options.fails);
      this.installs += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      writeFileSync(path, '', { mode: 0o755 });
      installed = true;
      return path;
    },
    byHand: `install ${name} by hand`,
  };
}

test('two runs at once install a missing tool once, and both get its path', async () => {
  const redis = recipe('redis');
  const lines: string[] = [];
  const both = [1, 2].map(() => ensureTools(['redis'], { say: (line) => lines.push(line), recipes: [redis] }));
  const expected = { SEALGATE_TEST_REDIS: join(cache, 'redis') };
  expect(await Promise.all(both)).toEqual([expected, expected]);
  expect(redis.installs).toBe(1);
  expect(lines.some((line) => line.includes('waiting for process'))).toBe(true);
});

test('every tool that cannot be had is named, with what to install and the variable to set', async () => {
  const recipes = [recipe('redis', { fails: 'no apt' }), recipe('minio', { fails: 'no Go' }), recipe('rclone')];
  const attempt = ensureTools(['redis', 'minio', 'rclone'], { say: () => undefined, recipes });
  await expect(attempt).rejects.toThrow(ToolsMissing);
  const message = await attempt.catch((error: Error) => error.message);
  for (const part of ['no apt', 'install redis by hand, or set SEALGATE_TEST_REDIS', 'no Go', 'SEALGATE_TEST_MINIO']) {
    expect(message).toContain(part);
  }
  expect(message).not.toContain('rclone');
});

test('a path that was set is used, and a wrong one is an error', async () => {
  const redis = recipe('redis');
  vi.stubEnv('SEALGATE_TEST_REDIS', process.execPath);
  const found = await ensureTools(['redis'], { say: () => undefined, recipes: [redis] });
  expect(found).toEqual({ SEALGATE_TEST_REDIS: process.execPath });
  expect(tool('redis')).toBe(process.execPath);
  vi.stubEnv('SEALGATE_TEST_REDIS', join(cache, 'nowhere'));
  await expect(ensureTools(['redis'], { say: () => undefined, recipes: [redis] })).rejects.toThrow(
    'SEALGATE_TEST_REDIS',
  );
  expect(redis.installs).toBe(0);
});

test('a tool that is nowhere fails the test that asks for it, and says what to do', () => {
  vi.stubEnv('PATH', cache);
  expect(() => tool('minio')).toThrow('run "npm test" once, which installs it, or set SEALGATE_TEST_MINIO');
});

test('the lock of a process that died is taken over', async () => {
  // Above the largest process id that Linux gives out.
  writeFileSync(join(cache, 'lock'), '99999999');
  const result = await withLock(
    { folder: cache, onWait: () => expect.fail('waited for the dead') },
    async () => 'done',
  );
  expect(result).toBe('done');
});

test('the lock is released when the work fails', async () => {
  const options = { folder: cache, onWait: () => expect.fail('still locked') };
  await expect(withLock(options, () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
  expect(await withLock(options, async () => 'next')).toBe('next');
});

test('a stamp is there only between write and clear', () => {
  const site = { cache, say: () => undefined };
  expect(readStamp(site, 'x')).toBeUndefined();
  writeStamp(site, 'x', 'v1');
  expect(readStamp(site, 'x')).toBe('v1');
  clearStamp(site, 'x');
  expect(readStamp(site, 'x')).toBeUndefined();
});

test('versions are compared as numbers', () => {
  expect(compareVersions('1.60.1', '1.60')).toBe(1);
  expect(compareVersions('7.0.15', '6.2')).toBe(1);
  expect(compareVersions('6.10', '6.9')).toBe(1);
  expect(compareVersions('1.19', '1.24')).toBe(-1);
  expect(compareVersions('1.24', '1.24.0')).toBe(0);
});

test('counts: a file that does not load and a crash without a failed test are failures, todo is skipped', () => {
  const report = join(cache, 'report.json');
  const write = (testResults: unknown) => writeFileSync(report, JSON.stringify({ testResults }));
  const results = (...statuses: string[]) => statuses.map((status) => ({ status }));
  write([
    { status: 'passed', assertionResults: results('passed', 'passed', 'todo', 'skipped') },
    { status: 'failed', assertionResults: [] },
    { status: 'failed', assertionResults: results('skipped') },
    { status: 'failed', assertionResults: results('failed') },
  ]);
  expect(formatCounts(countReport(report, 1))).toBe('2 passed, 3 failed, 3 skipped');
  write([{ status: 'passed', assertionResults: results('passed') }]);
  expect(formatCounts(countReport(report, 0))).toBe('1 passed, 0 failed, 0 skipped');
  expect(formatCounts(countReport(report, 1))).toBe('1 passed, 1 failed, 0 skipped');
  write([]);
  expect(countReport(report, 0).failed).toBe(1);
  expect(countReport(join(cache, 'absent.json'), 0).failed).toBe(1);
  expect(addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 1, failed: 0, skipped: 0 }).passed).toBe(2);
});
