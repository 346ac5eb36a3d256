import { describe, expect, it, onTestFinished } from 'vitest';
import { type BackendConfig, completeBackend } from '../../../src/backend/config.ts';
import { BACKEND_RULES, backendSettings } from '../../../src/backend/settings.ts';
import { BACKENDS, type BackendTable } from '../../../src/dialects/table.ts';
import { openBackend } from '../../../src/gateway/open-backend.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { deleteObjects } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { ASSUMED_CAPABILITIES } from '../../../src/store/capabilities.ts';
import { backConformance } from '../../dialects/back-conformance.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  inProcess,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../../pipeline/in-process.ts';
import { MIB, readBack, startUpload } from '../../pipeline/upload/upload-stand.ts';
import { backendOptions } from '../../support/backend-options.ts';
import { findOut } from '../../support/conformance/stores.ts';
import { payload } from '../../support/payload.ts';
import { toyBack } from './toy-back.ts';
import { startToyStore } from './toy-server.ts';

const SECRET = backendOptions('http://h').credentials.secret.reveal();
const PRODUCT = Object.keys(BACKENDS);
/** Registered from here alone. */
const DIALECTS: BackendTable = { ...BACKENDS, toy: toyBack };

/** The section `backend` of a configuration that chooses the toy. */
function configured(endpoint: string): BackendConfig {
  const credentials = { accessKeyId: 'testbackend', secretAccessKey: SECRET };
  const settings = backendSettings(DIALECTS).parse({ endpoint, credentials, dialect: 'toy' });
  return completeBackend(settings) as BackendConfig;
}

const error = (word: string) => JSON.stringify({ error: word });

backConformance({
  back: toyBack,
  async start() {
    const { url, lookup, stop } = await startToyStore(SECRET);
    return { connect: { endpoint: new URL(url), lookup }, stop };
  },
  refusals: [
    [404, error('NoSuchKey'), 'NoSuchKey'],
    [404, error('NoSuchUpload'), 'NoSuchUpload'],
    [403, error('AccessDenied'), 'AccessDenied'],
    [400, error('RuleOfItsOwn'), 'BackendRefused'],
    [403, error('BadSignature'), 'BackendError'],
  ],
  badKey: [403, error('BadSignature')],
});

describe('its setting', () => {
  it('names it, where the table has it', () => {
    expect(configured('http://toy.test:1').dialect).toBe('toy');
    const { error: refused } = backendSettings(DIALECTS).safeParse({ dialect: 'other' });
    expect(refused?.issues).toMatchObject([{ path: ['dialect'], message: `one of ${[...PRODUCT, 'toy'].join(', ')}` }]);
    expect(backendSettings().safeParse({ dialect: 'toy' }).error?.issues).toMatchObject([
      { message: `one of ${PRODUCT.join(', ')}` },
    ]);
  });

  it('is for no embedded store', () => {
    const section: Readonly<Record<string, string>> = { 'backend.directory': 'd', 'backend.dialect': 'toy' };
    const given = { isGiven: (name: string) => Object.hasOwn(section, name), value: (name: string) => section[name] };
    expect(BACKEND_RULES.flatMap((rule) => rule(given))).toEqual([
      {
        setting: 'backend.dialect',
        problem: 'excludes backend.directory',
        hint: 'Leave it out: the embedded store of backend.directory speaks s3.',
      },
    ]);
  });
});

async function overToy() {
  const toy = await startToyStore(SECRET);
  onTestFinished(() => toy.stop());
  const opened = await openBackend({ backend: configured(toy.url) }, {}, { dialects: DIALECTS, lookup: toy.lookup });
  onTestFinished(() => opened.close());
  const here = await inProcess({ opened });
  const { signal } = here.context();
  await here.tools.store.buckets.create({ kind: 'CreateBucket', bucket: BUCKET, location: undefined }, signal);
  return { toy, here };
}

it('what its store does is found out through it', async () => {
  const { state, store, capabilities } = await findOut((await overToy()).here);
  expect([state, store.name]).toEqual(['found', 'unknown']);
  expect(capabilities).toEqual({
    ...ASSUMED_CAPABILITIES,
    ...{ conditionalPuts: true, matchesOwnEtag: true, conditionalCompletes: true, conditionalDeletes: true },
    ...{ tornUploadsVanish: true, truthfulCompletes: true, distinctFirstSlash: true },
    heedsEncryption: false, // its dialect has no words for it
  });
});

describe('a gateway over a store of another dialect', () => {
  async function stand() {
    const { toy, here } = await overToy();
    const put = (key: string, bytes: Buffer, declared = true) =>
      putObject(putOf(key), verifiedBody(bytes, { declared }), here.context());
    return { toy, here, put };
  }

  it.each([
    [0, true],
    [70_000, true],
    [9 * MIB, false],
    // More than the store takes in one request.
    [17 * MIB, true],
  ])('keeps %i bytes (of declared length: %s) sealed, and gives them back', async (bytes, declared) => {
    const { toy, here, put } = await stand();
    const plaintext = payload(bytes);
    await put('k', plaintext, declared);
    const stored = toy.bytesOf(BUCKET, 'k') as Buffer;
    expect(stored.length).toBeGreaterThan(bytes);
    if (bytes > 0) expect(stored.includes(plaintext.subarray(0, 64))).toBe(false);
    expect((await readBack(here, 'k')).equals(plaintext)).toBe(true);
    const range = { kind: 'from', first: 5, last: 65_540 } as const;
    if (bytes > 0) {
      const part = await bodyOf(await getObject(getOf('k', { range }), here.context()));
      expect(part.equals(plaintext.subarray(5, 65_541))).toBe(true);
    }
    const { objects } = await listObjects(listOf({ maxKeys: 3 }), here.context());
    expect(objects.map(({ key, plaintextBytes }) => [key, plaintextBytes])).toEqual([['k', bytes]]);
  });

  it('puts uploads together, small parts of which wait elsewhere', async () => {
    const { toy, here } = await stand();
    const upload = await startUpload(here, 'u');
    const pieces = [payload(2 * MIB, 1), payload(MIB / 2, 2)];
    const parts = [];
    for (const [at, piece] of pieces.entries()) parts.push(await upload.send(at + 1, piece));
    await upload.complete(parts, { smallestPartBytes: 0 });
    expect((await readBack(here, 'u')).equals(Buffer.concat(pieces))).toBe(true);
    expect(toy.bytesOf(BUCKET, 'u')?.length).toBeGreaterThan(2.5 * MIB);
  });

  it('copies by way of the gateway what the store cannot copy, and deletes many one by one', async () => {
    const { here, put } = await stand();
    await put('from', payload(70_000));
    await copyObject(copyOf(`${BUCKET}/from`, 'to'), here.context());
    expect((await readBack(here, 'to')).equals(payload(70_000))).toBe(true);
    const targets = [{ key: 'from' }, { key: 'to' }];
    const asked = { kind: 'DeleteObjects', bucket: BUCKET, targets, quiet: false } as const;
    const { deleted, failures } = await deleteObjects(asked, here.context());
    expect([deleted.map(({ key }) => key), failures]).toEqual([['from', 'to'], []]);
    expect(await refusalOf(headObject(headOf('to'), here.context()))).toBe('NoSuchKey');
  });

  it('takes as much metadata as this store holds beside the envelope', async () => {
    const { here } = await stand();
    const user = (bytes: number) => ({ content: {}, user: [['m', 'x'.repeat(bytes)]] as const });
    const put = (bytes: number) =>
      putObject(putOf('k', { metadata: user(bytes) }), verifiedBody(payload(10)), here.context());
    await put(3_700);
    expect((await headObject(headOf('k'), here.context())).facts.metadata.user[0]?.[1]).toHaveLength(3_700);
    expect(await refusalOf(put(3_900))).toBe('MetadataTooLarge');
  });
});
