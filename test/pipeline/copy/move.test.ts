import { createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { actionsOf } from '../../../src/encryption/bucket-policy/actions.ts';
import {
  decodeEnvelope,
  ENVELOPE_ENTRY,
  encodeEnvelope,
  openEnvelope,
  sealEnvelope,
} from '../../../src/envelope/envelope.ts';
import { encodeLocationClaim, LOCATION_ENTRY } from '../../../src/envelope/location-claim.ts';
import type { MoveObject } from '../../../src/operations/move.ts';
import type { MetadataEntry } from '../../../src/operations/object.ts';
import { moveObject } from '../../../src/pipeline/copy/move.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import { asking, KEYS, toldOf } from '../customer-keys/stand.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  lacking,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';

const BYTES = payload(70_000, 1);
const METADATA = { content: { contentType: 'text/plain' }, user: [['colour', 'green']] as const };

const place = (key: string, bucket = BUCKET) => ({ bucket, key });
const moving = (from: string, to: string): MoveObject => ({
  kind: 'MoveObject',
  ref: place(to),
  source: { ref: place(from) },
});

/** Seals an object's envelope and claim as the first gateways did: version 0, and a claim that binds the object's id. */
async function asFirstWritten(metadata: readonly MetadataEntry[], stand: InProcess): Promise<MetadataEntry[]> {
  const text = metadata.find(([name]) => name === ENVELOPE_ENTRY)?.[1] ?? '';
  const { tenant } = stand.context();
  const [kek, tenantKek] = [KEYS.one().key.bytes, await stand.keyRings.current(tenant.ringId)];
  const key = { kek: createSecretKey(kek), tenant: tenant.name };
  const opened = openEnvelope(decodeEnvelope(text), key);
  expect(opened.head.kekVersion).toBe(1);
  const head = { ...opened.head, kekVersion: 0 };
  const envelope = sealEnvelope({ ...opened, head, ...key, envelopeSalt: Buffer.alloc(16, 7) });
  const claimKey = createHmac('sha256', tenantKek.key)
    .update('sx1/tloc')
    .update(head.oid)
    .update(Buffer.from([1]))
    .digest();
  const tag = createHmac('sha256', claimKey)
    .update(Buffer.from([0, BUCKET.length]))
    .update(`${BUCKET}a`)
    .digest()
    .subarray(0, 16);
  const claim = encodeLocationClaim({ keyRingId: tenant.ringId, kekVersion: tenantKek.version, tag });
  const texts = new Map([
    [ENVELOPE_ENTRY, encodeEnvelope(envelope)],
    [LOCATION_ENTRY, claim],
  ]);
  return metadata.map(([name, value]) => [name, texts.get(name) ?? value]);
}

const move = (stand: InProcess, from: string, to: string) => moveObject(moving(from, to), asking(stand, undefined));

describe.each([
  ['by the tenant’s keys', undefined, {}],
  ['by a key of its client’s', 'customer', {}],
  ['by nobody', undefined, { protection: 'none' as const }],
])('an object that is encrypted %s', (_how, form, policy) => {
  const key = () => (form === undefined ? undefined : KEYS.one());

  it('has another place afterwards, the same bytes and metadata, and nothing is left at the old one', async () => {
    const stand = await inProcess();
    const at = (encryption = key()) => asking(stand, encryption, policy);
    await putObject(putOf('a', { metadata: METADATA }), verifiedBody(BYTES), at());
    const before = await stand.stored.read(BUCKET, 'a');
    const answer = await moveObject(moving('a', 'folder/b'), at(undefined));
    const got = await getObject(getOf('folder/b'), at());
    expect(await bodyOf(got)).toEqual(BYTES);
    expect(got.facts).toMatchObject({ metadata: METADATA, etag: answer.etag });
    expect((await stand.stored.read(BUCKET, 'folder/b')).bytes.equals(before.bytes)).toBe(true);
    expect(await refusalOf(headObject(headOf('a'), at()))).toBe('NoSuchKey');
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('replaces what is at its new place, and goes back again', async () => {
    const stand = await inProcess();
    const at = (encryption = key()) => asking(stand, encryption, policy);
    await putObject(putOf('a'), verifiedBody(BYTES), at());
    await putObject(putOf('b'), verifiedBody(payload(10, 2)), at());
    await moveObject(moving('a', 'b'), at(undefined));
    await moveObject(moving('b', 'a'), at(undefined));
    expect(await bodyOf(await getObject(getOf('a'), at()))).toEqual(BYTES);
  });
});

describe('an object under a key of its client’s', () => {
  it('opens by its old key only, and not where the store puts it back', async () => {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, KEYS.one()));
    await move(stand, 'a', 'b');
    expect(await toldOf(getObject(getOf('b'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
    expect(await refusalOf(getObject(getOf('b'), asking(stand, undefined)))).toBe('CustomerKeyNeeded');
    const { bytes, record } = await stand.stored.read(BUCKET, 'b');
    await stand.stored.overwrite(BUCKET, 'a', bytes, record);
    expect(await refusalOf(getObject(getOf('a'), asking(stand, KEYS.one())))).toBe('ObjectMoved');
  });

  it('of the first gateways opens and is moved as any other, and is held to its place', async () => {
    const stand = await inProcess();
    const at = () => asking(stand, KEYS.one());
    await putObject(putOf('a'), verifiedBody(BYTES), at());
    const { bytes, record } = await stand.stored.read(BUCKET, 'a');
    const metadata = await asFirstWritten(record.metadata, stand);
    await stand.stored.overwrite(BUCKET, 'a', bytes, { ...record, metadata });
    expect(await bodyOf(await getObject(getOf('a'), at()))).toEqual(BYTES);
    await stand.stored.overwrite(BUCKET, 'elsewhere', bytes, { ...record, metadata });
    expect(await refusalOf(getObject(getOf('elsewhere'), at()))).toBe('ObjectMoved');
    await move(stand, 'a', 'b');
    expect(await bodyOf(await getObject(getOf('b'), at()))).toEqual(BYTES);
    expect(await toldOf(getObject(getOf('b'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
  });

  it('is not moved from where somebody put it in the store', async () => {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, KEYS.one()));
    const { bytes, record } = await stand.stored.read(BUCKET, 'a');
    await stand.stored.overwrite(BUCKET, 'b', bytes, record);
    expect(await refusalOf(move(stand, 'b', 'c'))).toBe('ObjectMoved');
    expect((await stand.stored.read(BUCKET, 'b')).record.metadata.some(([name]) => name === LOCATION_ENTRY)).toBe(true);
    expect(await stand.stored.keys(BUCKET)).toEqual(['a', 'b']);
  });
});

it('keeps what another client writes to the old place meanwhile', async () => {
  for (const how of [{}, lacking({ conditionalDeletes: false })]) {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, undefined));
    const context = { ...asking(stand, undefined), ...how };
    const { store } = context;
    const copy = store.copy.bind(store);
    store.copy = async (...asked) => {
      const copied = await copy(...asked);
      await putObject(putOf('a'), verifiedBody(payload(10, 3)), asking(stand, undefined));
      return copied;
    };
    await moveObject(moving('a', 'b'), context);
    expect(await bodyOf(await getObject(getOf('b'), asking(stand, undefined)))).toEqual(BYTES);
    expect(await bodyOf(await getObject(getOf('a'), asking(stand, undefined)))).toEqual(payload(10, 3));
  }
});

it('is refused onto itself, to another bucket, and where nothing is', async () => {
  const stand = await inProcess();
  await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, undefined));
  expect(await refusalOf(move(stand, 'a', 'a'))).toBe('InvalidRequest');
  expect(await refusalOf(move(stand, 'absent', 'b'))).toBe('NoSuchKey');
  const elsewhere: MoveObject = { ...moving('a', 'b'), source: { ref: place('a', 'other-box') } };
  expect(await refusalOf(moveObject(elsewhere, asking(stand, undefined)))).toBe('NotImplemented');
  expect(await bodyOf(await getObject(getOf('a'), asking(stand, undefined)))).toEqual(BYTES);
});

it('is a write at the new place and a deletion at the old one, for policies of buckets', () => {
  const actions = actionsOf(moving('a', 'b'), { foldsFirstSlash: false });
  expect(actions.map(({ action, resources }) => [action, ...resources])).toEqual([
    ['s3:PutObject', `${BUCKET}/b`],
    ['s3:DeleteObject', `${BUCKET}/a`],
  ]);
});
