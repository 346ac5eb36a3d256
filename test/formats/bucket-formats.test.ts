import { describe, expect, it } from 'vitest';
import { CARRIED_ENTRY } from '../../src/envelope/carried-metadata.ts';
import { BucketFormats } from '../../src/formats/bucket-formats.ts';
import { Protections } from '../../src/formats/protection.ts';
import { FORMATS } from '../../src/formats/table.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { headOf, inProcess } from '../pipeline/in-process.ts';
import { bucketPolicy } from '../tenants/fixture.ts';

const BOX = 'plain-box';

describe('the formats of a bucket', () => {
  it('follow from its policy', () => {
    const protections = new Protections(FORMATS);
    const { plain, sx1 } = protections.formats;
    const formatsOf = (over: Parameters<typeof bucketPolicy>[0]) => protections.formatsFor(bucketPolicy(over));
    const sealed = formatsOf({ pattern: 'b' });
    expect([sealed.write, sealed.readsUnmarked, sealed.peeks]).toEqual([sx1, false, false]);
    const mixed = formatsOf({ pattern: 'b', mixed: true });
    expect([mixed.write, mixed.readsUnmarked, mixed.peeks]).toEqual([sx1, true, true]);
    const none = formatsOf({ pattern: 'b', protection: 'none' });
    expect([none.write, none.readsUnmarked, none.peeks]).toEqual([plain, true, false]);
    const policy = bucketPolicy({ pattern: 'b' });
    expect(protections.formatsFor(policy)).toBe(protections.formatsFor(policy));
  });

  it('show nothing of a format’s own among the metadata of an object that lies as it was sent', async () => {
    const stand = await inProcess({ buckets: [{ pattern: BOX, protection: 'none' }] });
    const metadata: [string, string][] = [
      ['colour', 'blue'],
      [CARRIED_ENTRY, 'AQ'],
    ];
    await stand.stored.overwrite(BOX, 'key', Buffer.from('plain'), { metadata });
    const head = await headObject(headOf('key', { ref: { bucket: BOX, key: 'key' } }), stand.at(BOX));
    expect(head.facts.metadata.user).toEqual([['colour', 'blue']]);
  });

  it('tell a listed object’s length by its size only where the size is enough', () => {
    const { formats, knownSizes } = new Protections(FORMATS);
    const { plain, sx1 } = formats;
    const policy = bucketPolicy({ pattern: 'b' });
    const stored = sx1.storedBytes(1000, policy);
    const one = { write: sx1, read: [sx1], mayLoseMarks: [], knownSizes };
    const sealed = new BucketFormats({ ...one, unmarked: undefined });
    expect([sealed.listedBytes(stored, policy), sealed.listedBytes(7, policy)]).toEqual([1000, 7]);
    const mixed = new BucketFormats({ ...one, unmarked: plain });
    expect([mixed.listedBytes(stored, policy), mixed.listedBytes(7, policy)]).toEqual([undefined, 7]);
    const none = new BucketFormats({ ...one, write: plain, unmarked: plain });
    expect([none.listedBytes(stored, policy), none.listedBytes(7, policy)]).toEqual([stored, 7]);
  });
});
