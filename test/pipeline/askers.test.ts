import { expect, it } from 'vitest';
import { Secret } from '../../src/keys/secret.ts';
import { Askers } from '../../src/pipeline/askers.ts';
import { inProcess } from './in-process.ts';

it('gives the gateway’s own services to whom has no backend key: nothing is made for them', async () => {
  const { services } = await inProcess();
  expect(new Askers(services).withKey(undefined)).toBe(services);
  expect(services.store.identity).toBeUndefined();
});

it('gives every backend key a store of its own, made once, and shares all else', async () => {
  const { services } = await inProcess();
  const askers = new Askers(services);
  const [one, two] = ['one', 'two'].map((accessKeyId) => ({ accessKeyId, secret: new Secret('x') }));
  const mine = askers.withKey(one);
  expect(askers.withKey(one)).toBe(mine);
  expect(askers.withKey(two)).not.toBe(mine);
  const { store, ...shared } = mine;
  expect(services).toMatchObject(shared);
  expect(store.identity).toEqual({
    asker: 'caller',
    credentials: { accessKeyId: 'one', secret: one?.secret, region: services.store.region },
  });
  expect(askers.anonymous.store.identity).toEqual({ asker: 'anonymous', credentials: undefined });
});
