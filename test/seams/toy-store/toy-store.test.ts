import { describe, expect, it, onTestFinished } from 'vitest';
import { EMBEDDED_STORE } from '../../../src/store/known-stores.ts';
import { inProcess } from '../../pipeline/in-process.ts';
import { conformsAsStore, findOut } from '../../support/conformance/stores.ts';
import { STORES_WITH_TOY, startToyStore, TOY_ROW } from './toy-store.ts';

async function overToy(server = TOY_ROW.name) {
  const toy = await startToyStore();
  onTestFinished(() => toy.close());
  if (server !== TOY_ROW.name) toy.server = server;
  return { toy, stand: await inProcess({ proxy: toy }) };
}

describe('the toy store, known by a row alone', () => {
  conformsAsStore({ open: async () => (await overToy()).stand, row: TOY_ROW, knownStores: STORES_WITH_TOY });
});

describe('the embedded store', () => {
  conformsAsStore({ open: () => inProcess(), row: EMBEDDED_STORE });
});

describe('a store that lies', () => {
  it.each(['AmazonS3', 'sealgate-devstore'])('about its name: it has what it showed, and no %s', async (name) => {
    const { stand } = await overToy(name);
    const { store, claimed, capabilities } = await findOut(stand);
    expect([store.name, claimed?.isNamedBy({ server: name, requestId: '' })]).toEqual(['unknown', true]);
    expect(capabilities).toMatchObject({
      conditionalPuts: true,
      conditionalDeletes: false,
      atomicCompletes: false,
      verbatimKeys: false,
    });
  });

  it('about an upload that broke off is not believed, though its row speaks for it', async () => {
    const { toy, stand } = await overToy();
    toy.keepsTorn = true;
    const { store, capabilities } = await findOut(stand, STORES_WITH_TOY);
    expect([store.name, capabilities.tornUploadsVanish, capabilities.atomicCompletes]).toEqual([
      'unknown',
      false,
      false,
    ]);
  });
});

it('a look leaves nothing behind', async () => {
  const { stand } = await overToy();
  await findOut(stand, STORES_WITH_TOY);
  expect(await stand.stored.keys('conformance-staging')).toEqual([]);
});
