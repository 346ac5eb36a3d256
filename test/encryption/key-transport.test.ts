import { expect, test } from 'vitest';
import { checkKeys, isLoopback, type KeysOverHttp } from '../../src/encryption/key-transport.ts';
import { customerKeysOf } from '../../src/encryption/rules.ts';
import { clientError } from '../../src/errors.ts';
import { CustomerKey } from '../../src/operations/encryption.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { copyOf, getOf, putOf, refusalOf } from '../pipeline/in-process.ts';

const encryption = { kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 2)) } as const;
const copy = copyOf('b/k', 'k');
const BRINGING: readonly Operation[] = [
  { ...putOf('k'), encryption },
  { ...getOf('k'), encryption },
  { ...copy, encryption },
  { ...copy, source: { ...copy.source, encryption } },
];

const answer = (
  operation: Operation,
  overHttp: KeysOverHttp,
  from: { address?: string; hidden?: boolean; secure?: boolean; here?: boolean },
) =>
  refusalOf(
    (async () =>
      checkKeys(
        customerKeysOf(operation),
        { address: from.address ?? '127.0.0.1', hidden: from.hidden ?? false, secure: from.secure ?? false },
        { overHttp, listensOnLoopback: from.here ?? true },
      ))(),
  );

test.each<[KeysOverHttp, Parameters<typeof answer>[2], string]>([
  ['never', {}, 'InvalidRequest'],
  ['never', { address: '::1' }, 'InvalidRequest'],
  ['never', { secure: true, address: '192.0.2.1', here: false }, 'none'],
  ['loopback', {}, 'none'],
  ['loopback', { address: '::1' }, 'none'],
  ['loopback', { address: '192.0.2.1' }, 'InvalidRequest'],
  ['loopback', { address: '' }, 'InvalidRequest'],
  ['loopback', { here: false }, 'InvalidRequest'],
  ['loopback', { hidden: true }, 'InvalidRequest'],
  ['loopback', { hidden: true, secure: true }, 'none'],
  ['loopback', { address: '192.0.2.1', here: false, secure: true }, 'none'],
  ['always', { address: '192.0.2.1', here: false }, 'none'],
])('customerKeys.overHttp %s, from %j: %s', async (overHttp, from, expected) => {
  for (const operation of BRINGING) expect(await answer(operation, overHttp, from)).toBe(expected);
  for (const operation of [putOf('k'), getOf('k'), copy]) expect(await answer(operation, overHttp, from)).toBe('none');
});

test('what is a loopback address', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) expect(isLoopback(host)).toBe(true);
  for (const host of ['0.0.0.0', '::', '', '128.0.0.1', '127.evil.example', '10.127.0.1', '1127.0.0.1']) {
    expect(isLoopback(host)).toBe(false);
  }
});

test('a key that cannot be used is refused for that, however it came, and is no key', async () => {
  const problem = clientError('InvalidArgument', 'It is too short.');
  const wrong = { kind: 'customer', key: CustomerKey.malformed(problem) } as const;
  for (const from of [{}, { secure: true }]) {
    expect(await answer({ ...putOf('k'), encryption: wrong }, 'never', from)).toBe('InvalidArgument');
    expect(await answer({ ...copy, encryption, source: { ...copy.source, encryption: wrong } }, 'never', from)).toBe(
      'InvalidArgument',
    );
  }
  expect(() => wrong.key.bytes).toThrow(problem);
});
