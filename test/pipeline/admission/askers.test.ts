import { expect, it } from 'vitest';
import { Askers } from '../../../src/pipeline/admission/askers.ts';
import { Secret } from '../../../src/secret.ts';
import { inProcess } from '../in-process.ts';

it('gives the gateway’s own tools to whom has no backend key: nothing is made for them', async () => {
  const { handling, tools } = await inProcess();
  expect(new Askers(handling).withKey(undefined)).toBe(tools);
  expect(tools.store.identity).toBeUndefined();
});

it('gives every backend key a store of its own, made once, and shares all else', async () => {
  const { handling, tools } = await inProcess();
  const askers = new Askers(handling);
  const [one, two] = ['one', 'two'].map((accessKeyId) => ({ accessKeyId, secret: new Secret('x') }));
  const mine = askers.withKey(one);
  expect(askers.withKey(one)).toBe(mine);
  expect(askers.withKey(two)).not.toBe(mine);
  const { store, ...shared } = mine;
  expect(tools).toMatchObject(shared);
  expect(store.identity).toEqual({
    asker: 'caller',
    credentials: { accessKeyId: 'one', secret: one?.secret, region: tools.store.region },
  });
  expect(askers.anonymous.store.identity).toEqual({ asker: 'anonymous', credentials: undefined });
});
