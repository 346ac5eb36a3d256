import { expect, it } from 'vitest';
import { ALL_CAPABILITIES } from '../../../src/store/capabilities.ts';
import { tryEncryption } from '../../../src/store/finding/probes.ts';
import { Store } from '../../../src/store/store.ts';
import { BUCKET, inProcess } from '../../pipeline/in-process.ts';
import { encryptingConnection, type Habit } from '../../support/encrypting-connection.ts';

it.each([
  ['encrypts', 'holds'],
  ['has none', 'holds'],
  ['ignores', 'broken'],
] as const)('a store that %s is seen to', async (habit: Habit, showed) => {
  const { back, connection } = await inProcess();
  const encrypting = encryptingConnection(connection);
  encrypting.habit = habit;
  const findings = { capabilities: ALL_CAPABILITIES, pending: [] };
  const store = new Store(back, encrypting.connection, { findings });
  const { signal } = new AbortController();
  expect(await tryEncryption({ store, bucket: BUCKET, prefix: 'p/', signal }, 'p/e')).toEqual({
    heedsEncryption: showed,
  });
});
