import { expect, it } from 'vitest';
import { changedSettings } from '../../src/cli/serve/changed-settings.ts';
import { loadConfig } from '../../src/settings/config.ts';

const SETTINGS = {
  SEALGATE_BACKEND_ENDPOINT: 'http://store:9000',
  SEALGATE_BACKEND_CREDENTIALS_ACCESS_KEY_ID: 'gateway',
  SEALGATE_BACKEND_CREDENTIALS_SECRET_ACCESS_KEY: 'first',
  SEALGATE_KEYS_ROOT_ENV: 'ROOT',
  ROOT: Buffer.alloc(32, 1).toString('base64'),
  SEALGATE_KEYS_STORE_REDIS: 'redis://redis:6379',
  SEALGATE_KEYS_STORE_PASSWORD: 'first',
};

const load = (changes: Record<string, string> = {}) => loadConfig({ env: { ...SETTINGS, ...changes }, cwd: '/' });

it('finds what differs, and nothing where nothing does', () => {
  expect(changedSettings(load(), load())).toEqual([]);
  expect(changedSettings(load(), load({ SEALGATE_REGION: 'eu-1', SEALGATE_LIMITS_IDLE_SECONDS: '61' }))).toEqual([
    'region',
    'limits',
  ]);
  expect(changedSettings(load(), load({ SEALGATE_BACKEND_ENDPOINT: 'http://store:9001' }))).toEqual(['backend']);
  expect(changedSettings(load(), load({ SEALGATE_DOMAINS: 's3.example.com' }))).toEqual(['domains']);
});

it.each([
  ['SEALGATE_BACKEND_CREDENTIALS_SECRET_ACCESS_KEY', 'second', 'backend'],
  ['SEALGATE_KEYS_STORE_PASSWORD', 'second', 'keys'],
  ['SEALGATE_KEYS_STORE_REDIS', 'redis://redis:6380', 'keys'],
  ['ROOT', Buffer.alloc(32, 2).toString('base64'), 'keys'],
])('a secret that changed is a change, though it prints as every other: %s', (name, value, section) => {
  expect(changedSettings(load(), load({ [name]: value }))).toEqual([section]);
});

it('the level of the log and the certificate are none: they are taken', () => {
  expect(changedSettings(load(), load({ SEALGATE_LOG_LEVEL: 'debug' }))).toEqual([]);
  expect(changedSettings(load(), load({ SEALGATE_LOG_FORMAT: 'text' }))).toEqual(['log']);
});
