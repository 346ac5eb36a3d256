import { describe, expect, it } from 'vitest';
import { LOCATION_ENTRY } from '../../../src/envelope/location-claim.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { asking, KEYS, toldOf } from '../../pipeline/customer-keys/stand.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../../pipeline/in-process.ts';
import { payload } from '../../support/payload.ts';

const BYTES = payload(70_000, 1);
const place = (key: string) => ({ bucket: BUCKET, key });

/** Moves an object as a store does, with the metadata that the format makes for its new place; no key is at hand. */
async function move(stand: InProcess, from: string, to: string) {
  const context = asking(stand, undefined);
  const stored = await context.store.head({ ref: place(from), conditions: {} }, context.signal);
  const metadata = await context.formats.write.movedUnopened?.({ ref: place(from), stored }, place(to), context);
  if (metadata === undefined) return undefined;
  const { bytes, record } = await stand.stored.read(BUCKET, from);
  await stand.stored.overwrite(BUCKET, to, bytes, { ...record, metadata: metadata.user as never });
  await stand.stored.delete(BUCKET, from);
  return metadata;
}

describe('an object under a customer’s key that is moved without the key', () => {
  it('opens by its old key at its new place, and nowhere else', async () => {
    const stand = await inProcess();
    const metadata = { content: { contentType: 'text/plain' }, user: [['colour', 'gr\xfcn']] as const };
    await putObject(putOf('a', { metadata }), verifiedBody(BYTES), asking(stand, KEYS.one()));
    const before = (await stand.stored.read(BUCKET, 'a')).record;
    await move(stand, 'a', 'b');
    await move(stand, 'b', 'c');
    const got = await getObject(getOf('c'), asking(stand, KEYS.one()));
    expect(got.facts.metadata).toMatchObject(metadata);
    expect(await bodyOf(got)).toEqual(BYTES);
    expect(await toldOf(getObject(getOf('c'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
    const { bytes, record } = await stand.stored.read(BUCKET, 'c');
    const sealed = (all: typeof record.metadata) => all.filter(([name]) => name !== LOCATION_ENTRY).sort();
    expect(sealed(record.metadata)).toEqual(sealed(before.metadata));
    await stand.stored.overwrite(BUCKET, 'a', bytes, record);
    expect(await refusalOf(getObject(getOf('a'), asking(stand, KEYS.one())))).toBe('ObjectMoved');
  });

  it('is not moved from where it does not belong', async () => {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, KEYS.one()));
    const { bytes, record } = await stand.stored.read(BUCKET, 'a');
    await stand.stored.overwrite(BUCKET, 'b', bytes, record);
    expect(await refusalOf(move(stand, 'b', 'c'))).toBe('ObjectMoved');
    const without = record.metadata.filter(([name]) => name !== LOCATION_ENTRY);
    await stand.stored.overwrite(BUCKET, 'a', bytes, { ...record, metadata: without });
    expect(await refusalOf(move(stand, 'a', 'c'))).toBe('ObjectMoved');
  });

  it('may be under a later key of the tenant’s at its new place', async () => {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, KEYS.one()));
    await stand.keyRings.rotate(stand.context().tenant.ringId);
    await move(stand, 'a', 'b');
    expect(await bodyOf(await getObject(getOf('b'), asking(stand, KEYS.one())))).toEqual(BYTES);
  });
});

it('an object under the tenant’s keys is not moved so', async () => {
  const stand = await inProcess();
  await putObject(putOf('a'), verifiedBody(BYTES), asking(stand, undefined));
  expect(await move(stand, 'a', 'b')).toBeUndefined();
});
