import { createHash, createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  ENTRY_BYTES,
  type EtagPlace,
  entryName,
  type KnownDigest,
  openEntry,
  PLAIN_OBJECT,
  readEntryHead,
  sealEntry,
} from '../../src/etags/etag-entry.ts';

const kek = { version: 7, key: createSecretKey(randomBytes(32)) };
const place: EtagPlace = { tenant: 'acme', bucket: 'acme-b', key: 'k', backendEtag: 'ab'.repeat(16) };
const md5 = createHash('md5').update('hello').digest();
const whole: KnownDigest = { plain: false, md5, parts: 0, oid: randomBytes(16) };
const seal = (digest = whole, at = place) =>
  sealEntry(digest, at, { kek, nonce: randomBytes(12), writtenAtSeconds: 1234 });

describe('an entry of the index', () => {
  it.each([
    ['an MD5', whole],
    ['an MD5 of parts', { ...whole, parts: 9_999 }],
    ['no MD5', { ...whole, md5: undefined }],
    ['a plain object', PLAIN_OBJECT],
  ])('opens to what was sealed: %s', (_name, digest) => {
    const entry = seal(digest);
    expect(entry.length).toBe(ENTRY_BYTES);
    expect(readEntryHead(entry)).toEqual({ kekVersion: 7, writtenAtSeconds: 1234 });
    expect(openEntry(entry, place, kek.key)).toEqual(digest);
  });

  it('with a CRC-64 opens to what was sealed, and is told by its version from one without', () => {
    const crc64 = Buffer.from('995dc9bbdf1939fa', 'hex');
    for (const digest of [whole, { ...whole, md5: undefined }, PLAIN_OBJECT].map((each) => ({ ...each, crc64 }))) {
      const entry = seal(digest);
      expect([entry[0], entry.length]).toEqual([2, ENTRY_BYTES + 8]);
      expect(readEntryHead(entry)).toEqual({ kekVersion: 7, writtenAtSeconds: 1234 });
      expect(openEntry(entry, place, kek.key)).toEqual(digest);
      expect(entry.includes(crc64.subarray(0, 4))).toBe(false);
      const shorter = Buffer.from(entry.subarray(0, ENTRY_BYTES));
      shorter[0] = 1;
      expect(openEntry(shorter, place, kek.key)).toBeUndefined();
      expect(readEntryHead(entry.subarray(0, ENTRY_BYTES))).toBeUndefined();
    }
  });

  it('opens at its own place only, and has a name of its own there', () => {
    const entry = seal();
    for (const other of [
      { ...place, tenant: 'other' },
      { ...place, bucket: 'acme-c' },
      { ...place, key: 'l' },
      { ...place, backendEtag: `${place.backendEtag}-1` },
      { ...place, bucket: 'acme-', key: 'bk' },
    ]) {
      expect(openEntry(entry, other, kek.key)).toBeUndefined();
      expect(entryName(other)).not.toEqual(entryName(place));
    }
    expect(openEntry(entry, place, createSecretKey(randomBytes(32)))).toBeUndefined();
  });

  it('does not open when any byte was altered', () => {
    const entry = seal();
    for (let at = 0; at < entry.length; at++) {
      const altered = Buffer.from(entry);
      altered[at] = (altered[at] as number) ^ 1;
      expect([at, openEntry(altered, place, kek.key)]).toEqual([at, undefined]);
    }
  });

  it('shows nothing of what it holds', () => {
    const entry = seal();
    for (const secret of [md5, whole.oid]) expect(entry.includes(secret.subarray(0, 4))).toBe(false);
    expect(seal({ ...whole, md5: undefined }).length).toBe(entry.length);
  });

  it.each([[Buffer.alloc(0)], [Buffer.alloc(ENTRY_BYTES)], [Buffer.alloc(ENTRY_BYTES + 1, 1)]])(
    'is not what is no entry',
    (bytes) => expect(readEntryHead(bytes)).toBeUndefined(),
  );
});
