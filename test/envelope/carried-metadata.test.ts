import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  CARRIED_ENTRY,
  gatherMetadata,
  isKeptEntry,
  readCarried,
  splitMetadata,
} from '../../src/envelope/carried-metadata.ts';
import { type ClientMetadata, canonicalMetadata } from '../../src/envelope/claims.ts';
import { openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import fc, { runs } from '../support/property.ts';
import { arbitraryContent } from './arbitrary-content.ts';
import { sampleHead } from './sealed-sample.ts';

/** What a store gives back that keeps all of it. */
function stored({ content, user }: ClientMetadata): ClientMetadata {
  const laid = splitMetadata({ content, user });
  const own = laid.carried === undefined ? [] : [[CARRIED_ENTRY, laid.carried] as const];
  return { content: laid.content, user: [...laid.user, ...own, ['sx1', 'the envelope']] };
}

const carriedOf = (metadata: ClientMetadata) => splitMetadata(metadata).carried;
const entry = (name: string, value: string) => carriedOf({ content: {}, user: [[name, value]] });

describe('metadata that a store might not keep (FORMAT.md §3.3)', () => {
  test.each([
    ['mtime', '1700000000.123456789'],
    ['s3cmd-attrs', 'atime:1/ctime:2/gid:0/gname:root/md5:d41d8cd98f00b204e9800998ecf8427e'],
    ['mc-attrs', 'atime:1#2/gid:0'],
    ['a', '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'],
    ['v', 'a b'],
    ['a'.repeat(128), 'x'],
  ])('%s: %s stands in clear', (name, value) => {
    expect(entry(name, value)).toBeUndefined();
    expect(isKeptEntry([name, value])).toBe(true);
  });

  test.each([
    ['x-amz-unencrypted-content-length', '5'],
    ['x-amz-unencrypted-content-md5', 'x'],
    ['x-amz-key-v2', 'AAAA'],
    ['x-minio-internal-compression', 'x'],
    ['x-amz-meta-a', 'x'],
    ['minio-snowball-prefix', 'x'],
    ['snowball-auto-extract', 'false'],
    ['with_underscore', 'x'],
    ['with.dot', 'x'],
    ["!#$%&'*+^`|~", 'x'],
    ['-a', 'x'],
    ['a-', 'x'],
    ['a--b', 'x'],
    ['Upper', 'x'],
    ['a'.repeat(129), 'x'],
    ['empty', ''],
    ['blanks', 'a  b'],
    ['tab', 'a\tb'],
    ['outer', ' a'],
    ['latin1', 'gr\xfcn'],
    ['utf8', Buffer.from('grün').toString('latin1')],
    ['word', '=?UTF-8?B?w7Y=?='],
    ['nearly', 'a=?b'],
  ])('%s: %j is carried', (name, value) => {
    expect(entry(name, value)).toMatch(/^[\w-]+$/);
  });

  test.each([
    ['contentType', 'Text/Plain; charset="ä"', true],
    ['contentType', 'text/html; charset=utf-8', false],
    ['contentEncoding', 'gzip, br', false],
    ['contentEncoding', 'gzip, AWS-chunked', true],
    ['contentDisposition', 'attachment; filename="a b.txt"', false],
    ['contentDisposition', 'attachment; filename="\xfc"', true],
    ['cacheControl', 'no-cache,  max-age=0', true],
    ['expires', 'Tue, 01 Jan 2030 00:00:00 GMT', false],
    ['expires', 'Mon, 01 Jan 2030 00:00:00 GMT', true],
    ['expires', 'Wed, 31 Feb 2030 00:00:00 GMT', true],
    ['expires', 'Tuesday, 01-Jan-30 00:00:00 GMT', true],
    ['expires', '2030-01-01T00:00:00Z', true],
    ['expires', '0', true],
  ] as const)('%s: %s is carried: %s', (field, value, carried) => {
    expect(carriedOf({ content: { [field]: value }, user: [] }) !== undefined).toBe(carried);
  });

  const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const value = fc.oneof(
    latin1.filter((text) => !text.includes('\x7f')),
    fc.constantFrom('', 'a', 'a b', '=?', '\t'),
  );
  const name = fc.oneof(
    fc.stringMatching(/^[a-z0-9!#$%&'*+\-.^_`|~]{1,9}$/),
    fc.constantFrom('a', 'b', 'x-amz-iv', 'x-', 'a-b'),
  );
  const field = fc.option(value, { nil: undefined });
  const metadata = fc.record({
    content: arbitraryContent(field),
    user: fc.uniqueArray(fc.tuple(name, value), { maxLength: 6, selector: ([one]) => one }),
  });
  const own = ({ user }: ClientMetadata) => user.some(([one]) => one.startsWith('sx1'));

  test('whatever it is, it comes back, and what stands in clear is what every store keeps', () => {
    fc.assert(
      fc.property(metadata, (sent) => {
        fc.pre(!own(sent));
        const there = stored(sent);
        expect(there.user.every((one) => one[0].startsWith('sx1') || isKeptEntry(one))).toBe(true);
        const back = gatherMetadata(there);
        expect(canonicalMetadata(back)).toEqual(canonicalMetadata(sent));
        expect(back.carries).toBe(carriedOf(sent) !== undefined);
      }),
      { numRuns: runs(2000) },
    );
  });

  test('one text for one set of metadata: every altered text is refused, or says something else', () => {
    fc.assert(
      fc.property(metadata, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, at, change) => {
        const text = carriedOf(sent);
        fc.pre(text !== undefined && !own(sent));
        const bytes = Buffer.from(text, 'base64url');
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ change;
        const read = readCarried(bytes.toString('base64url'));
        if (read === undefined) return;
        const before = readCarried(text) as ClientMetadata;
        expect(canonicalMetadata(read)).not.toEqual(canonicalMetadata(before));
      }),
      { numRuns: runs(2000) },
    );
  });

  const pair = (one: string, other: string) => `07${length(one)}${hex(one)}${length(other)}${hex(other)}`;
  const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
  const length = (text: string) => text.length.toString(16).padStart(4, '0');
  const text = (bytes: string) => Buffer.from(bytes, 'hex').toString('base64url');

  test.each([
    ['nothing', ''],
    ['a version alone', '01'],
    ['another version', `02${pair('a', 'b')}`],
    ['an unknown kind', '0108000161'],
    ['kind zero', '0100000161'],
    ['a content header twice', '01010001610100 0162'.replace(' ', '')],
    ['content headers out of order', '0102000161010001 62'.replace(' ', '')],
    ['a content header behind a pair', `01${pair('a', 'b')}01000161`],
    ['names out of order', `01${pair('b', '1')}${pair('a', '1')}`],
    ['a name twice', `01${pair('a', '1')}${pair('a', '1')}`],
    ['a name of the gateway’s own', `01${pair('sx1', '1')}`],
    ['an empty name', `01${pair('', '1')}`],
    ['a name that is no header’s', `01${pair('a b', '1')}`],
    ['a line break in a value', `01${pair('a', '1\r\nset-cookie: x')}`],
    ['a line break in a content header', `0101${length('a\r\nb')}${hex('a\r\nb')}`],
    ['a value cut short', `01${pair('a', 'bc').slice(0, -2)}`],
    ['a length cut short', '010100'],
  ])('a reader refuses %s', (_what, bytes) => {
    expect(readCarried(text(bytes))).toBeUndefined();
    const user = [['kept', '1'] as const, [CARRIED_ENTRY, text(bytes)] as const];
    expect(gatherMetadata({ content: {}, user })).toEqual({ content: {}, user: [['kept', '1']], carries: false });
  });

  test('other spellings of the text, and two entries, add nothing', () => {
    const good = text(`01${pair('a', 'b')}`);
    expect(readCarried(good)).toEqual({ content: {}, user: [['a', 'b']] });
    for (const other of [`${good}=`, `${good}\n`, ` ${good}`, `${good}A`]) expect(readCarried(other)).toBeUndefined();
    const twice = [CARRIED_ENTRY, good] as const;
    expect(gatherMetadata({ content: {}, user: [twice, twice] })).toEqual({ content: {}, user: [], carries: false });
  });
});

test('known answer (FORMAT.md §10.3)', () => {
  const vector = JSON.parse(readFileSync(new URL('../vectors/envelope/carried.json', import.meta.url), 'utf8'));
  const bytes = (name: string) => Buffer.from(vector[name] as string, 'hex');
  const sent = { content: vector.content, user: vector.user } as ClientMetadata;
  expect(canonicalMetadata(sent)).toEqual(bytes('canonicalMetadata'));
  expect(splitMetadata(sent)).toEqual({
    content: { contentType: 'text/plain' },
    user: [['kept', 'as it is']],
    carried: vector.carried,
  });
  expect(Buffer.from(vector.carried, 'base64url')).toEqual(bytes('carriedBytes'));
  const [oid, dek] = [bytes('oid'), bytes('dek')];
  const keys = new ObjectKeys(dek, oid);
  const fields = {
    locationTag: keys.locationTag(vector.bucket, vector.key),
    metadataTag: keys.metadataTag(canonicalMetadata(sent)),
    partSalt: bytes('partSalt'),
    plaintextBytes: 5,
  };
  expect(fields.metadataTag).toEqual(bytes('metadataTag'));
  const head = sampleHead({
    oid,
    hasMetadataTag: true,
    carriesMetadata: true,
    keyRingId: vector.keyRingId,
    kekVersion: vector.kekVersion,
  });
  const key = { kek: createSecretKey(bytes('kek')), tenant: vector.tenant as string };
  const envelope = sealEnvelope({ head, keys, dek, fields, ...key, envelopeSalt: bytes('envelopeSalt') });
  expect(envelope).toEqual(bytes('envelope'));
  expect(openEnvelope(envelope, key)).toMatchObject({ head, fields, dek });
});
