import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Secret } from '../../src/secret.ts';
import { eventually } from '../keys/eventually.ts';
import { openStore, randomRootKey } from '../keys/fixture.ts';
import { LEAST_ACL } from '../keys/store/least-acl.ts';
import { startTcpLink, type TcpLink } from '../support/proxies/tcp-link.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { openTenancy } from './fixture.ts';

/** Messages of Redis's invalidation get lost, late, or come again; the ledger is looked at twice a second all the same. */

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ requirepass: 'admin', acl: [LEAST_ACL.replace(' +client|tracking', '')] });
});
afterAll(() => redis.stop());

/** A message on the channel of invalidations: three parts, the last one a list of one name. */
const MESSAGE = /\*3\r\n\$7\r\nmessage\r\n\$20\r\n__redis__:invalidate\r\n\*1\r\n\$\d+\r\n[^\r]*\r\n/g;

/** What happens to the messages on their way. */
class Messages {
  seen = 0;
  readonly #link: TcpLink;

  constructor(link: TcpLink) {
    this.#link = link;
  }

  /** Each is passed to `fate`, and what that returns arrives in its place. */
  each(fate: (message: string) => string): void {
    this.#link.alterAnswers((chunk) => {
      const changed = chunk.toString('latin1').replaceAll(MESSAGE, (message) => {
        this.seen++;
        return fate(message);
      });
      return Buffer.from(changed, 'latin1');
    });
  }
}

async function stand() {
  const link = await startTcpLink(redis);
  onTestFinished(() => link.close());
  const rootKey = randomRootKey();
  const keyPrefix = `${randomBytes(6).toString('hex')}:`;
  const open = async (port: number) =>
    openTenancy({
      store: await openStore({ kind: 'redis', url: `redis://:admin@127.0.0.1:${port}`, keyPrefix }),
      rootKey,
    });
  const [gateway, admin] = [await open(link.port), await open(redis.port)];
  await admin.administration.addTenant({ name: 'acme', buckets: ['acme-*'], accessKeyId: 'ACMEFIRST' });
  await eventually(1500, () => gateway.directory.caller('ACMEFIRST'));
  return { gateway, admin, messages: new Messages(link) };
}

describe('a change is seen within a second, though its message', () => {
  it.each<readonly [string, (message: string) => string]>([
    ['is lost', () => ''],
    ['comes twice', (message) => message + message],
    ['names another record', (message) => message.replace(/tenant|credential/g, (kind) => `${kind.slice(0, -1)}x`)],
  ])('%s', async (_how, fate) => {
    const { gateway, admin, messages } = await stand();
    messages.each(fate);
    await admin.administration.changeTenant('acme', { buckets: ['other'] });
    await eventually(1000, async () => {
      return (await gateway.directory.caller('ACMEFIRST'))?.tenant.buckets[0]?.pattern === 'other';
    });
    await admin.administration.revokeCredential('ACMEFIRST');
    await eventually(1000, async () => (await gateway.directory.caller('ACMEFIRST')) === undefined);
    expect(messages.seen).toBeGreaterThan(0);
    expect(gateway.warnings).toEqual([]);
  });

  it('comes late, of a change before the last one', async () => {
    const { gateway, admin, messages } = await stand();
    const late: string[] = [];
    messages.each((message) => {
      late.push(message);
      return '';
    });
    await admin.administration.revokeCredential('ACMEFIRST');
    await eventually(1000, async () => (await gateway.directory.caller('ACMEFIRST')) === undefined);
    await admin.administration.addCredential('acme', { accessKeyId: 'ACMEFIRST' });
    messages.each((message) => late.splice(0).join('') + message);
    await admin.administration.addCredential('acme', { accessKeyId: 'ACMESECOND' });
    await eventually(1000, async () => (await gateway.directory.caller('ACMESECOND')) !== undefined);
    expect((await gateway.directory.caller('ACMEFIRST'))?.accessKeyId).toBe('ACMEFIRST');
  });
});

it('the cache answers alone while nothing changes: no look at a record is caused by the beat', async () => {
  const { gateway } = await stand();
  // What was just added may be announced still.
  await eventually(5000, async () => {
    const before = gateway.observer.counts['get ok'];
    const until = performance.now() + 1200;
    while (performance.now() < until) {
      await gateway.directory.caller('ACMEFIRST');
      await new Promise((resolve) => setImmediate(resolve));
    }
    return gateway.observer.counts['get ok'] === before;
  });
});

it('where Redis does not track, changes and older records are found by polling', async () => {
  const rootKey = randomRootKey();
  const config = { kind: 'redis', url: `redis://127.0.0.1:${redis.port}` } as const;
  const limited = { ...config, username: 'sealgate', password: new Secret('pass%word') };
  const gateway = await openTenancy({ store: await openStore(limited), rootKey });
  const store = await openStore({ ...config, url: `redis://:admin@127.0.0.1:${redis.port}` });
  const admin = await openTenancy({ store, rootKey });
  await admin.administration.addTenant({ name: 'acme', buckets: ['acme-*'], accessKeyId: 'ACMEFIRST' });
  await eventually(1000, () => gateway.directory.caller('ACMEFIRST'));
  const old = (await store.get('credential/ACMEFIRST'))!.bytes;
  await admin.administration.revokeCredential('ACMEFIRST');
  await store.put('credential/ACMEFIRST', old);
  await eventually(1000, async () => (await gateway.directory.caller('ACMEFIRST')) === undefined);
  expect(gateway.observer.counts['put back record']).toBeGreaterThan(0);
});
