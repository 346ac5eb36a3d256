import { describe, expect, it } from 'vitest';
import { ENVELOPE_ENTRY } from '../../../src/envelope/envelope.ts';
import { LOCATION_ENTRY } from '../../../src/envelope/location-claim.ts';
import { GatewayError } from '../../../src/errors.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { objectAttributes } from '../../../src/pipeline/read/attributes.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { PART, startUpload } from '../upload/upload-stand.ts';
import { asking, KEYS, toldOf } from './stand.ts';

const BYTES = payload(100_000, 1);

async function put(stand: InProcess, key: string, asked: AskedEncryption | undefined, bytes = BYTES) {
  return putObject(putOf(key), verifiedBody(bytes), asking(stand, asked));
}

async function uploaded(stand: InProcess, key: string, asked: () => AskedEncryption | undefined) {
  const upload = await startUpload(stand, key, { context: () => asking(stand, asked()) });
  await upload.complete([await upload.send(1, payload(PART, 1)), await upload.send(2, payload(70_000, 2))]);
}

type Read = (stand: InProcess, key: string, asked: AskedEncryption | undefined) => Promise<unknown>;

const READS: Readonly<Record<string, Read>> = {
  get: async (stand, key, asked) => bodyOf(await getObject(getOf(key), asking(stand, asked))),
  head: (stand, key, asked) => headObject(headOf(key), asking(stand, asked)),
  range: async (stand, key, asked) =>
    bodyOf(await getObject(getOf(key, { range: { kind: 'from', first: 70_000, last: 70_009 } }), asking(stand, asked))),
  part: async (stand, key, asked) => bodyOf(await getObject(getOf(key, { part: 1 }), asking(stand, asked))),
  attributes: (stand, key, asked) =>
    objectAttributes(
      {
        kind: 'GetObjectAttributes',
        ref: { bucket: BUCKET, key },
        attributes: new Set(['etag', 'size', 'parts']),
        partNumberMarker: 0,
        maxParts: 1000,
      },
      asking(stand, asked),
    ),
  'copy source': (stand, key, asked) => {
    const source = { ref: { bucket: BUCKET, key }, conditions: {}, encryption: asked };
    return copyObject(copyOf(`${BUCKET}/${key}`, 'copy', { source }), stand.at(BUCKET));
  },
};

describe.each(Object.entries(READS))('%s', (_what, read) => {
  it('of an object under a customer’s key takes that key', async () => {
    const stand = await inProcess();
    await put(stand, 'one', KEYS.one());
    await uploaded(stand, 'parts', KEYS.one);
    for (const key of ['one', 'parts']) {
      expect(await toldOf(read(stand, key, undefined))).toBe('400 InvalidRequest');
      expect(await toldOf(read(stand, key, KEYS.two()))).toBe('403 AccessDenied');
      expect(await toldOf(read(stand, key, KEYS.one()))).toBe('fine');
      // What is remembered by now is remembered of the right key alone.
      expect(await toldOf(read(stand, key, undefined))).toBe('400 InvalidRequest');
      expect(await toldOf(read(stand, key, KEYS.two()))).toBe('403 AccessDenied');
    }
  });

  it('of an object without a customer’s key takes none', async () => {
    const stand = await inProcess();
    await put(stand, 'managed', undefined);
    await uploaded(stand, 'parts', () => undefined);
    for (const key of ['managed', 'parts']) {
      expect(await toldOf(read(stand, key, KEYS.one()))).toBe('400 InvalidRequest');
      expect(await toldOf(read(stand, key, undefined))).toBe('fine');
    }
    expect(await toldOf(read(stand, 'absent', KEYS.one()))).toBe('404 NoSuchKey');
  });
});

it('a part past the end is told to whoever has the key, and nothing of the object to anybody else', async () => {
  const stand = await inProcess();
  await put(stand, 'one', KEYS.one());
  await uploaded(stand, 'parts', KEYS.one);
  for (const [key, part] of [
    ['one', 2],
    ['parts', 3],
  ] as const) {
    for (const read of [
      (asked: AskedEncryption | undefined) => getObject(getOf(key, { part }), asking(stand, asked)),
      (asked: AskedEncryption | undefined) => headObject(headOf(key, { part }), asking(stand, asked)),
    ]) {
      expect(await toldOf(read(KEYS.one()))).toBe('416 InvalidPartNumber');
      expect(await toldOf(read(undefined))).toBe('400 InvalidRequest');
      expect(await toldOf(read(KEYS.two()))).toBe('403 AccessDenied');
    }
  }
});

it('an object that lies as it was sent takes no key', async () => {
  const stand = await inProcess({ buckets: [{ pattern: 'plain-box', protection: 'none' }] });
  const plain = { ref: { bucket: 'plain-box', key: 'plain' }, conditions: {} };
  await putObject({ ...putOf('plain'), ref: plain.ref }, verifiedBody(BYTES), stand.at('plain-box'));
  const copy = (source: typeof plain & { readonly encryption?: AskedEncryption }) =>
    toldOf(copyObject(copyOf('plain-box/plain', 'copy', { source }), stand.at(BUCKET)));
  expect(await copy({ ...plain, encryption: KEYS.one() })).toBe('400 InvalidRequest');
  expect(await copy(plain)).toBe('fine');
  await putObject(putOf('plain'), verifiedBody(BYTES), stand.context({ protection: 'none' }));
  for (const policy of [{ mixed: true }, { protection: 'none' }] as const) {
    const context = (asked: AskedEncryption | undefined) => asking(stand, asked, policy);
    expect(await toldOf(getObject(getOf('plain'), context(KEYS.one())))).toBe('400 InvalidRequest');
    expect(await toldOf(headObject(headOf('plain'), context(KEYS.one())))).toBe('400 InvalidRequest');
    expect(await bodyOf(await getObject(getOf('plain'), context(undefined)))).toEqual(BYTES);
  }
});

describe('another key and an altered envelope', () => {
  it('look the same, and nothing is asked twice', async () => {
    const stand = await inProcess();
    await put(stand, 'k', KEYS.one());
    const message = async (asked: AskedEncryption) => {
      stand.asked();
      const error = await getObject(getOf('k'), asking(stand, asked)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(GatewayError);
      expect(stand.asked()).toEqual([`GET /${BUCKET}/k`]);
      expect(stand.handling.memory.reservedBytes).toBe(0);
      const { code, message: text, details } = error as GatewayError;
      return { code, text, details };
    };
    const wrong = await message(KEYS.two());
    const { bytes, record } = await stand.stored.read(BUCKET, 'k');
    const altered = (text: string, at: number) => {
      const envelope = Buffer.from(text, 'base64url');
      envelope[at] = (envelope[at] as number) ^ 1;
      return envelope.toString('base64url');
    };
    for (const at of [16, 32, 48, 80, 130, 168, 183]) {
      const metadata = record.metadata.map(
        ([name, value]) => [name, name === ENVELOPE_ENTRY ? altered(value, at) : value] as const,
      );
      await stand.stored.overwrite(BUCKET, 'k', bytes, { ...record, metadata });
      expect(await message(KEYS.one())).toEqual(wrong);
    }
    expect(wrong.code).toBe('CustomerKeyWrong');
  });

  it('are told apart from what is under the right envelope', async () => {
    const stand = await inProcess();
    await put(stand, 'k', KEYS.one());
    await stand.stored.flip(BUCKET, 'k', 100);
    expect(await refusalOf(getObject(getOf('k'), asking(stand, KEYS.one())))).toBe('ObjectCorrupted');
    await stand.stored.truncate(BUCKET, 'k', 200);
    expect(await refusalOf(headObject(headOf('k'), asking(stand, KEYS.one())))).toBe('ObjectCorrupted');
  });
});

describe('an object under a customer’s key', () => {
  it('is where it was sealed for: a store that moves it, or its claim, is refused', async () => {
    const stand = await inProcess();
    await put(stand, 'a', KEYS.one());
    await put(stand, 'b', KEYS.one());
    const get = (key: string, policy = {}) => getObject(getOf(key), asking(stand, KEYS.one(), policy));
    await bodyOf(await get('a')); // so that its envelope is remembered
    const { bytes, record } = await stand.stored.read(BUCKET, 'a');
    const claim = (await stand.stored.read(BUCKET, 'b')).record.metadata.find(([name]) => name === LOCATION_ENTRY);
    const described = (metadata: typeof record.metadata) => ({ ...record, metadata });
    const without = record.metadata.filter(([name]) => name !== LOCATION_ENTRY);
    const own = record.metadata.find(([name]) => name === LOCATION_ENTRY) as [string, string];
    const claims: readonly (readonly (readonly [string, string])[])[] = [
      [],
      [claim as [string, string]],
      [own, own],
      [[LOCATION_ENTRY, `${own[1]}A`]],
      [[LOCATION_ENTRY, own[1].replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))]],
    ];
    for (const beside of claims) {
      await stand.stored.overwrite(BUCKET, 'a', bytes, described([...without, ...beside] as typeof record.metadata));
      expect(await refusalOf(get('a'))).toBe('ObjectMoved');
      const warned = await get('a', { location: 'warn' });
      expect(await bodyOf(warned)).toEqual(BYTES);
    }
    await stand.stored.overwrite(BUCKET, 'c', bytes, record);
    expect(await refusalOf(get('c'))).toBe('ObjectMoved');
    await stand.stored.overwrite(BUCKET, 'a', bytes, record);
    expect(await bodyOf(await get('a'))).toEqual(BYTES);
    // Whoever has no key, or another, is told that first.
    expect(await toldOf(getObject(getOf('c'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
  });

  it('does not open beside the claim of a copy, which has the same DEK under another key', async () => {
    const stand = await inProcess();
    await put(stand, 'a', KEYS.one());
    const source = { ref: { bucket: BUCKET, key: 'a' }, conditions: {}, encryption: KEYS.one() };
    const replacement = { content: {}, user: [['approved', 'no']] as const };
    const { keys } = asking(stand, KEYS.two());
    await copyObject(copyOf(`${BUCKET}/a`, 'b', { source, replacement }), { ...stand.at(BUCKET), keys });
    const [one, two] = [await stand.stored.read(BUCKET, 'a'), await stand.stored.read(BUCKET, 'b')];
    expect(one.bytes).toEqual(two.bytes);
    const claimOf = (metadata: typeof one.record.metadata) => metadata.filter(([name]) => name === LOCATION_ENTRY);
    const others = one.record.metadata.filter(([name]) => name !== LOCATION_ENTRY);
    const metadata = [...others, ...claimOf(two.record.metadata)];
    await stand.stored.overwrite(BUCKET, 'b', one.bytes, { ...two.record, metadata });
    expect(await refusalOf(getObject(getOf('b'), asking(stand, KEYS.one())))).toBe('ObjectMoved');
    expect(await toldOf(getObject(getOf('b'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
  });

  it('goes with its tenant’s keys, though it is remembered', async () => {
    const stand = await inProcess();
    const { ringId } = stand.context().tenant;
    for (const key of ['a', 'b']) await put(stand, key, KEYS.one());
    await stand.keyRings.rotate(ringId);
    await put(stand, 'c', KEYS.one());
    const get = (key: string) => getObject(getOf(key), asking(stand, KEYS.one()));
    for (const key of ['a', 'c']) expect(await bodyOf(await get(key))).toEqual(BYTES);
    await stand.keyRings.remove(ringId);
    for (const key of ['a', 'b', 'c']) expect(await refusalOf(get(key))).toBe('KeyUnavailable');
  });

  it('is told with its key’s MD5, and nothing of it is in the store', async () => {
    const stand = await inProcess();
    const key = KEYS.one();
    const { encryption } = await put(stand, 'k', key);
    expect(encryption).toEqual({ kind: 'customer', keyMd5: key.key.md5 });
    const got = await getObject(getOf('k'), asking(stand, key));
    expect(got.facts.encryption).toEqual(encryption);
    expect((await headObject(headOf('k'), asking(stand, key))).facts.encryption).toEqual(encryption);
    expect(got.facts.metadata.user).toEqual([]);
    const { bytes, record } = await stand.stored.read(BUCKET, 'k');
    const there = Buffer.concat([
      bytes,
      ...record.metadata.map(([, value]) => Buffer.from(value, 'base64url')),
      Buffer.from(JSON.stringify(record)),
    ]);
    for (const secret of [key.key.bytes, key.key.md5]) {
      for (const form of [secret, ...(['hex', 'base64', 'base64url'] as const).map((each) => secret.toString(each))]) {
        expect(there.includes(form)).toBe(false);
      }
    }
  });

  it('takes room of the client’s metadata for its claim, and no more', async () => {
    const stand = await inProcess();
    const most = async (asked: AskedEncryption | undefined) => {
      for (let bytes = 1800; bytes > 1500; bytes--) {
        const metadata = { content: {}, user: [['a', 'x'.repeat(bytes)]] as const };
        const writing = putObject(putOf('k', { metadata }), verifiedBody(BYTES), asking(stand, asked));
        if ((await refusalOf(writing)) === 'none') return bytes;
      }
      return undefined;
    };
    const [without, withKey] = [(await most(undefined)) ?? 0, (await most(KEYS.one())) ?? 0];
    expect(without - withKey).toBe('x-amz-meta-sx1l'.length + 38);
  });

  it('is read in ranges, with one request where it was remembered, as any other', async () => {
    const stand = await inProcess();
    await uploaded(stand, 'k', KEYS.one);
    const range = { kind: 'from', first: PART - 5, last: PART + 4 } as const;
    const read = async () => bodyOf(await getObject(getOf('k', { range }), asking(stand, KEYS.one())));
    const expected = Buffer.concat([payload(PART, 1).subarray(-5), payload(70_000, 2).subarray(0, 5)]);
    expect(await read()).toEqual(expected);
    stand.asked();
    expect(await read()).toEqual(expected);
    expect(stand.asked()).toEqual([`GET /${BUCKET}/k`]);
  });
});
