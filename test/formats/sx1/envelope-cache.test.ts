import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { EnvelopeCache } from '../../../src/formats/sx1/envelope-cache.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { pattern } from '../../devstore/started.ts';
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

async function sealed(stand: InProcess, key: string, bytes: Buffer): Promise<void> {
  await putObject(putOf(key), verifiedBody(bytes), stand.context());
  // Read once, so that its envelope is remembered.
  expect((await bodyOf(await getObject(getOf(key), stand.context()))).equals(bytes)).toBe(true);
}

describe('an envelope that was opened before', () => {
  it('opens nothing at another key', async () => {
    const stand = await inProcess();
    await sealed(stand, 'mine', pattern(1000));
    const { bytes, record } = await stand.stored.read(BUCKET, 'mine');
    await stand.stored.overwrite(BUCKET, 'other', bytes, record);
    expect(await refusalOf(getObject(getOf('other'), stand.context()))).toBe('ObjectMoved');
  });

  it('is no leave for other metadata, and policy warn’s leave is not remembered', async () => {
    const stand = await inProcess();
    await sealed(stand, 'object', pattern(1000));
    const { bytes, record } = await stand.stored.read(BUCKET, 'object');
    const headers = [
      ...record.headers.filter(([name]) => name !== 'Content-Type'),
      ['Content-Type', 'text/html'],
    ] as const;
    await stand.stored.overwrite(BUCKET, 'object', bytes, { ...record, headers });
    expect(await refusalOf(getObject(getOf('object'), stand.context()))).toBe('ObjectCorrupted');
    const lenient = stand.context({ metadata: 'warn' });
    expect((await getObject(getOf('object'), lenient)).facts.plaintextBytes).toBe(1000);
    expect(lenient.trace.warnings).toEqual(['metadata']);
    expect(await refusalOf(getObject(getOf('object'), stand.context()))).toBe('ObjectCorrupted');
  });

  it('is not used once the key is gone', async () => {
    const stand = await inProcess();
    await sealed(stand, 'object', pattern(1000));
    const context = stand.context();
    const gone = () => Promise.reject(new GatewayError('KeyUnavailable', 'gone', { source: 'keys' }));
    const without = { ...context, keys: { ...context.keys, scope: context.keys.scope, forExisting: gone } };
    expect(await refusalOf(getObject(getOf('object'), without))).toBe('KeyUnavailable');
  });

  it('has a name that no other place or envelope has, whatever characters they hold', () => {
    const name = (key: string, envelope: string) => EnvelopeCache.nameOf({ scope: 't', bucket: 'b', key, envelope });
    const names = [
      name('k', 'e'),
      name('e\nk', ''),
      name('k', '\ne'),
      name('ke', ''),
      name('', 'ke'),
      name('x\nk', 'e'),
      name('k', 'e\nx'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});
