import { describe, expect, it, onTestFinished } from 'vitest';
import { clientError } from '../../../src/errors.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { ASSUMED_CAPABILITIES } from '../../../src/store/capabilities.ts';
import type { StoreFinder } from '../../../src/store/finding/store-finder.ts';
import { EMBEDDED_STORE } from '../../../src/store/known-stores.ts';
import { BUCKET, headOf, inProcess, putOf, refusalOf, verifiedBody } from '../../pipeline/in-process.ts';
import { conformsAsStore, finderFor, findOut, TORN_IN_PROCESS_MILLISECONDS } from '../../support/conformance/stores.ts';
import { payload } from '../../support/payload.ts';
import { STORES_WITH_TOY, startToyStore, TOY_ROW } from './toy-store.ts';

async function overToy(server = TOY_ROW.name) {
  const toy = await startToyStore();
  onTestFinished(() => toy.close());
  if (server !== TOY_ROW.name) toy.server = server;
  return { toy, stand: await inProcess({ proxy: toy }) };
}

describe('the toy store, known by a row alone', () => {
  conformsAsStore({
    open: async () => (await overToy()).stand,
    row: TOY_ROW,
    knownStores: STORES_WITH_TOY,
    tornMilliseconds: TORN_IN_PROCESS_MILLISECONDS,
  });
});

describe('the embedded store', () => {
  conformsAsStore({
    open: () => inProcess(),
    row: EMBEDDED_STORE,
    tornMilliseconds: TORN_IN_PROCESS_MILLISECONDS,
  });
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

it('a store that another takes the place of is relied on for nothing, until that one was tried', async () => {
  const toy = await startToyStore();
  onTestFinished(() => toy.close());
  let finder: StoreFinder | undefined;
  const stand = await inProcess({
    proxy: toy,
    findings: (backend) => {
      finder = finderFor(backend, { knownStores: STORES_WITH_TOY, tornMilliseconds: TORN_IN_PROCESS_MILLISECONDS });
      return finder;
    },
  });
  const found = () => (finder as StoreFinder).finding;
  onTestFinished(() => finder?.stop());
  const create = () => {
    const put = putOf('k', { conditions: { ifNoneMatch: '*' } });
    return putObject(put, verifiedBody(payload(200_000)), stand.context());
  };
  expect(await refusalOf(create())).toBe('BackendUnavailable'); // nothing is found yet
  await finder?.start();
  await expect.poll(() => found().capabilities).toEqual(TOY_ROW.capabilities);
  await create();

  toy.server = 'another';
  toy.keepsTorn = true;
  await headObject(headOf('k'), stand.context());
  expect(found()).toMatchObject({ state: 'looking', capabilities: ASSUMED_CAPABILITIES });
  expect(await refusalOf(create())).toBe('BackendUnavailable');
  await expect.poll(() => found().state).toBe('found');
  expect(await refusalOf(create())).toBe('PreconditionFailed');
  expect([found().store.name, found().capabilities.tornUploadsVanish]).toEqual(['unknown', false]);

  // What broke off would replace the object now, so that nothing is sent before it is whole.
  stand.asked();
  const refusal = clientError('BadDigest', 'The digest does not match.');
  const torn = putObject(putOf('k'), verifiedBody(payload(200_000, 2), { refusal }), stand.context());
  expect(await refusalOf(torn)).toBe('BadDigest');
  expect(stand.asked()).not.toContain(`PUT /${BUCKET}/k`);
});
