import { createSecretKey, randomBytes } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { makeRing, RING } from '../../../src/keys/key-ring.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import { asking, KEYS } from '../customer-keys/stand.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { startUpload } from '../upload/upload-stand.ts';

const CARDS: AskedEncryption = { kind: 'kms', keyId: 'cards', context: undefined };
const MIB = 1024 * 1024;

/** As if the key store had lost a rotation that this process has heard of: old objects open, new ones would be lost. */
async function plantLostVersions(stand: InProcess) {
  const { records } = stand;
  const planted = new Map<string, unknown>();
  for (const id of await records.list(RING)) {
    const { versions, keks, ...ring } = (await records.read(RING, id))!.value;
    const lost = { version: 2, createdAt: new Date(), key: createSecretKey(randomBytes(32)) };
    const older = versions.map((each) => ({ ...each, key: keks.get(each.version)!.key }));
    planted.set(id, makeRing({ ...ring, current: 2, versions: [...older, lost] }));
  }
  const { get, refresh } = records;
  vi.spyOn(records, 'get').mockImplementation((kind, id, use) =>
    planted.has(id) ? Promise.resolve(planted.get(id) as never) : (get.call(records, kind, id, use) as never),
  );
  vi.spyOn(records, 'refresh').mockImplementation((kind, id) => {
    planted.delete(id);
    return refresh.call(records, kind, id) as never;
  });
}

const put = (stand: InProcess, key: string, bytes: Buffer, options: Parameters<typeof verifiedBody>[1] = {}) =>
  putObject(putOf(key), verifiedBody(bytes, options), stand.context());

/** Whatever draws a key of the tenant's for something that must be found again. */
const WRITES: Readonly<Record<string, (stand: InProcess) => Promise<unknown>>> = {
  'PUT of a small object': (stand) => put(stand, 'new', payload(1000)),
  'PUT that streams': (stand) => put(stand, 'new', payload(MIB)),
  'PUT of unknown length': (stand) => put(stand, 'new', payload(9 * MIB), { declared: false }),
  'PUT under a named key': (stand) => putObject(putOf('new'), verifiedBody(payload(1000)), asking(stand, CARDS)),
  // The claim of its place is under the tenant's key.
  'PUT under a customer’s key': (stand) =>
    putObject(putOf('new'), verifiedBody(payload(1000)), asking(stand, KEYS.one())),
  'copy to another key': (stand) => copyObject(copyOf(`${BUCKET}/old`, 'new'), stand.context()),
  'copy onto itself': (stand) =>
    copyObject(copyOf(`${BUCKET}/old`, 'old', { replacement: { content: {}, user: [['a', 'b']] } }), stand.context()),
  'begin of an upload': (stand) => startUpload(stand, 'new'),
  'begin of an upload under a customer’s key': (stand) =>
    startUpload(stand, 'new', { context: () => asking(stand, KEYS.one()) }),
};

it.each(Object.entries(WRITES))('a %s is refused under a key that the key store does not have', async (_, write) => {
  const stand = await inProcess();
  await stand.keyRings.createNamed('acme', 'cards');
  await put(stand, 'old', payload(1000, 2));
  await plantLostVersions(stand);
  stand.asked();
  expect(await refusalOf(write(stand))).toBe('KeyStoreUnavailable');
  const writes = stand.asked().filter((request) => /^(?:PUT|POST) /.test(request));
  expect(writes).toEqual([]);
  vi.restoreAllMocks();
  expect((await bodyOf(await getObject(getOf('old'), stand.context()))).equals(payload(1000, 2))).toBe(true);
  await write(stand);
});
