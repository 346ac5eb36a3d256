import { describe, expect, it } from 'vitest';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import { triedOf } from '../../support/quick.ts';
import { BUCKET, bodyOf, copyOf, getOf, type InProcess, inProcess, putOf, verifiedBody } from '../in-process.ts';
import { MIB, PART, startUpload } from '../upload/upload-stand.ts';
import { asking, KEYS, toldOf } from './stand.ts';

type Asked = AskedEncryption | undefined;

/** The forms that a client may ask for, each made anew for a request. */
const FORMS: Readonly<Record<string, () => Asked>> = {
  none: () => undefined,
  AES256: () => ({ kind: 'managed', algorithm: 'AES256' }),
  'KMS key cards': () => ({ kind: 'kms', keyId: 'cards', context: 'e30=' }),
  'KMS key payroll': () => ({ kind: 'kms', keyId: 'payroll', context: undefined }),
  'customer key 1': KEYS.one,
  'customer key 2': KEYS.two,
};
const NAMES = Object.keys(FORMS);
const PAIRS = NAMES.flatMap((from, row) => triedOf(NAMES, row).map((to) => [from, to] as const));

const asked = (form: string) => FORMS[form]?.();
/** What a request about an object of this form brings. */
const keyOf = (form: string) => (form.startsWith('customer') ? asked(form) : undefined);
const isCustomers = (form: string) => form.startsWith('customer');
const kindOf = (form: string) => asked(form)?.kind ?? 'managed';

async function withKmsKeys(): Promise<InProcess> {
  const stand = await inProcess();
  for (const name of ['cards', 'payroll']) await stand.keyRings.createNamed('acme', name);
  return stand;
}

function copy(stand: InProcess, from: string, to: string, forms: { source: Asked; copy: Asked }, over = {}) {
  const source = { ref: { bucket: BUCKET, key: from }, conditions: {}, encryption: forms.source };
  const { keys } = asking(stand, forms.copy);
  return copyObject(copyOf(`${BUCKET}/${from}`, to, { source, ...over }), { ...stand.at(BUCKET), keys });
}

const read = async (stand: InProcess, key: string, form: string) =>
  bodyOf(await getObject(getOf(key), asking(stand, keyOf(form))));

/** What others than the copy's own clients are told. */
async function othersAreRefused(stand: InProcess, key: string, form: string) {
  for (const other of NAMES.filter(
    (name) => isCustomers(name) !== isCustomers(form) || (isCustomers(name) && name !== form),
  )) {
    const told = await toldOf(getObject(getOf(key), asking(stand, keyOf(other))));
    expect(told).toBe(isCustomers(other) && isCustomers(form) ? '403 AccessDenied' : '400 InvalidRequest');
  }
}

async function large(stand: InProcess, key: string, form: string) {
  const upload = await startUpload(stand, key, { context: () => asking(stand, asked(form)) });
  // ListParts and Complete bring no key.
  await upload.complete([await upload.send(1, payload(PART, 1)), await upload.send(2, payload(12 * MIB, 2))]);
  return Buffer.concat([payload(PART, 1), payload(12 * MIB, 2)]);
}

describe.each(PAIRS)('a copy from %s to %s', (from, to) => {
  it('is what the request says, whatever its source is; between keys of one owner no byte moves', async () => {
    const stand = await withKmsKeys();
    const bytes = payload(200_000, 1);
    await putObject(putOf('a'), verifiedBody(bytes), asking(stand, asked(from)));
    const copied = await copy(stand, 'a', 'b', { source: keyOf(from), copy: asked(to) });
    expect(copied.encryption?.kind).toBe(kindOf(to));
    expect(await read(stand, 'b', to)).toEqual(bytes);
    await othersAreRefused(stand, 'b', to);
    expect(await read(stand, 'a', from)).toEqual(bytes);
    const [source, target] = [await stand.stored.read(BUCKET, 'a'), await stand.stored.read(BUCKET, 'b')];
    expect(source.bytes.equals(target.bytes)).toBe(isCustomers(from) === isCustomers(to));
  });

  it('can be made in place', async () => {
    const stand = await withKmsKeys();
    const bytes = payload(200_000, 1);
    await putObject(putOf('a'), verifiedBody(bytes), asking(stand, asked(from)));
    const forms = { source: keyOf(from), copy: asked(to) };
    expect((await copy(stand, 'a', 'a', forms)).encryption?.kind).toBe(kindOf(to));
    expect(await read(stand, 'a', to)).toEqual(bytes);
    await othersAreRefused(stand, 'a', to);
  });
});

/** Objects of 17 MiB each, written and read several times. */
const LARGE_IN_PLACE = [
  ['customer key 1', 'customer key 2'],
  ['none', 'customer key 1'],
  ['customer key 1', 'none'],
  ['customer key 1', 'KMS key cards'],
  ['KMS key cards', 'customer key 1'],
  ['KMS key cards', 'KMS key payroll'],
  ['KMS key payroll', 'none'],
] as const;

describe.each(triedOf(LARGE_IN_PLACE))('a large object in place, from %s to %s', (from, to) => {
  it('is another one only if nobody has replaced it meanwhile', async () => {
    const stand = await withKmsKeys();
    const bytes = await large(stand, 'a', from);
    const before = (await stand.stored.read(BUCKET, 'a')).bytes;
    await copy(stand, 'a', 'a', { source: keyOf(from), copy: asked(to) });
    expect((await read(stand, 'a', to)).equals(bytes)).toBe(true);
    await othersAreRefused(stand, 'a', to);
    const sameBytes = (await stand.stored.read(BUCKET, 'a')).bytes.equals(before);
    expect(sameBytes).toBe(isCustomers(from) === isCustomers(to));
  });
});

it('a copy onto itself by which the key changes does not touch what was written meanwhile', async () => {
  const stand = await inProcess();
  await large(stand, 'a', 'customer key 1');
  const hold = stand.faults.hold({
    method: 'POST',
    where: ({ target }) => target.raw.startsWith(`/${BUCKET}/a?uploadId=`),
  });
  const copying = toldOf(copy(stand, 'a', 'a', { source: KEYS.one(), copy: KEYS.two() }));
  await hold.reached;
  await putObject(putOf('a'), verifiedBody(payload(10, 9)), asking(stand, undefined));
  hold.release();
  // The copy begins anew with the object that is there by now, which has no customer's key.
  expect(await copying).toBe('400 InvalidRequest');
  expect(await read(stand, 'a', 'none')).toEqual(payload(10, 9));
});

it('a copy whose source or copy has a wrong key leaves what is there', async () => {
  const stand = await inProcess();
  await putObject(putOf('a'), verifiedBody(payload(10, 1)), asking(stand, KEYS.one()));
  await putObject(putOf('b'), verifiedBody(payload(10, 2)), asking(stand, undefined));
  stand.asked();
  for (const [source, told] of [
    [undefined, '400 InvalidRequest'],
    [KEYS.two(), '403 AccessDenied'],
  ] as const) {
    expect(await toldOf(copy(stand, 'a', 'b', { source, copy: KEYS.two() }))).toBe(told);
  }
  expect(stand.asked().filter((line) => !line.startsWith('HEAD '))).toEqual([]);
  expect(await read(stand, 'b', 'none')).toEqual(payload(10, 2));
});
