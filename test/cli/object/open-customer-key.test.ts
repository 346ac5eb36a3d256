import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/commands.ts';
import { ENVELOPE_ENTRY } from '../../../src/envelope/envelope.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { temporaryDirectory } from '../../keys/fixture.ts';
import { asking, KEYS } from '../../pipeline/customer-keys/stand.ts';
import { BUCKET, inProcess, putOf, verifiedBody } from '../../pipeline/in-process.ts';
import { PART, startUpload } from '../../pipeline/upload/upload-stand.ts';
import { payload } from '../../support/payload.ts';

/** `sealgate open` and `sealgate inspect` of objects under a client's own key, in this process. There is no configuration and no key store. */

const BYTES = payload(200_000, 3);
/** What KEYS.one is made of. */
const RIGHT = Buffer.alloc(32, 0x51);

let folder: string;
/** The options that give an object's envelope, by the object's name. */
let envelopes: Record<string, string[]>;

beforeEach(async () => {
  folder = await temporaryDirectory();
  const stand = await inProcess();
  await putObject(putOf('sent'), verifiedBody(BYTES), asking(stand, KEYS.one()));
  await putObject(putOf('managed'), verifiedBody(BYTES), stand.context());
  const upload = await startUpload(stand, 'parts', { context: () => asking(stand, KEYS.one()) });
  await upload.complete([await upload.send(1, payload(PART, 4)), await upload.send(2, payload(1000, 5))]);
  envelopes = {};
  for (const name of ['sent', 'managed', 'parts']) {
    const { bytes, record } = await stand.stored.read(BUCKET, name);
    await writeFile(join(folder, name), bytes);
    const [, envelope] = record.metadata.find(([entry]) => entry === ENVELOPE_ENTRY)!;
    envelopes[name] = ['--envelope', envelope];
  }
  await keyFile('right', RIGHT);
});

async function keyFile(name: string, content: string | Buffer, mode = 0o600) {
  await writeFile(join(folder, name), content);
  await chmod(join(folder, name), mode);
}

async function open(...args: string[]) {
  const { code, told } = await sealgate('open', ...args, '-o', 'out');
  const written = await readFile(join(folder, 'out')).catch(() => undefined);
  return { code, told, written };
}

async function sealgate(...args: string[]) {
  const told: string[] = [];
  const code = await runCommandLine(args, {
    env: {},
    cwd: folder,
    interactive: false,
    print: (text) => void told.push(text),
    warn: (text) => void told.push(text),
    write: () => Promise.reject(new Error('no bytes')),
    ask: () => Promise.reject(new Error('nobody is there')),
    stop: new AbortController().signal,
    onReload: () => undefined,
    onExit: () => undefined,
    now: () => new Date(),
    program: 'sealgate',
  });
  return { code, told: told.join('\n') };
}

const withKey = (file: string, tenant = 'acme') => ['--customer-key-file', file, '--tenant', tenant];

describe('sealgate open of an object under a client’s own key', () => {
  it.each<[string, Buffer]>([
    ['sent', BYTES],
    ['parts', Buffer.concat([payload(PART, 4), payload(1000, 5)])],
  ])('decrypts it with that key: %s', async (name, bytes) => {
    for (const more of [envelopes[name]!, ['--recover']]) {
      const { code, written } = await open(name, ...more, ...withKey('right'));
      expect(code).toBe(0);
      expect(written?.equals(bytes)).toBe(true);
    }
  });

  it.each<[string, string | Buffer]>([
    ['bytes', RIGHT],
    ['base64', RIGHT.toString('base64')],
    ['base64 and a line end', `${RIGHT.toString('base64')}\n`],
  ])('takes the key as %s', async (_, content) => {
    await keyFile('key', content);
    expect(await open('sent', ...envelopes.sent!, ...withKey('key'))).toMatchObject({ code: 0 });
  });

  it.each<[string, string | Buffer, string]>([
    ['is too short', RIGHT.subarray(1), 'The key file key holds neither 32 bytes nor their base64.'],
    ['is no base64', '!'.repeat(44), 'The key file key holds neither 32 bytes nor their base64.'],
    ['is another one', Buffer.alloc(32, 0x52), 'does not open under the key in key as an object of tenant acme'],
  ])('refuses a key that %s', async (_, content, sentence) => {
    await keyFile('key', content);
    const { code, told, written } = await open('sent', ...envelopes.sent!, ...withKey('key'));
    expect([code, written]).toEqual([1, undefined]);
    expect(told).toContain(sentence);
    expect(told).not.toContain(RIGHT.toString('base64').slice(0, 10));
  });

  it('refuses a key file that everybody can use, and one that is not there', async () => {
    await keyFile('key', RIGHT, 0o604);
    const { code, told, written } = await open('sent', ...envelopes.sent!, ...withKey('key'));
    expect([code, written]).toEqual([1, undefined]);
    expect(told).toContain('can be used by everybody on this machine (mode 0604)');
    expect((await open('sent', ...envelopes.sent!, ...withKey('absent'))).told).toContain('cannot be read (ENOENT)');
  });

  it('opens nothing as an object of another tenant', async () => {
    const { code, told, written } = await open('sent', ...envelopes.sent!, ...withKey('right', 'beta'));
    expect([code, written]).toEqual([1, undefined]);
    expect(told).toContain('does not open under the key in right as an object of tenant beta');
  });

  it('does not take the key for an object that has none', async () => {
    const { code, told } = await open('managed', ...envelopes.managed!, ...withKey('right'));
    expect(code).toBe(1);
    expect(told).toContain('is encrypted with a key of the key store’s');
  });

  it('needs both options', async () => {
    const alone = await open('sent', ...envelopes.sent!, '--customer-key-file', 'right');
    expect([alone.code, alone.told]).toEqual([2, expect.stringContaining('--tenant NAME')]);
    const other = await open('sent', ...envelopes.sent!, '--tenant', 'acme');
    expect([other.code, other.told]).toEqual([2, expect.stringContaining('--tenant needs --customer-key-file.')]);
  });

  it('writes nothing of an object that was altered', async () => {
    const bytes = await readFile(join(folder, 'sent'));
    bytes[1000] = bytes[1000]! ^ 1;
    await writeFile(join(folder, 'sent'), bytes);
    expect(await open('sent', ...envelopes.sent!, ...withKey('right'))).toMatchObject({ code: 1, written: undefined });
  });
});

describe('sealgate inspect of an object under a client’s own key', () => {
  const inspect = (...args: string[]) => sealgate('inspect', ...args);

  it('verifies it with that key, and tells its parts', async () => {
    for (const more of [envelopes.parts!, []]) {
      const { code, told } = await inspect('parts', ...more, ...withKey('right'), '--json');
      const parts = [
        { partNumber: 1, plaintextBytes: PART },
        { partNumber: 2, plaintextBytes: 1000 },
      ];
      expect([code, JSON.parse(told)]).toMatchObject([0, { authenticated: true, verification: { parts } }]);
    }
    const { code, told } = await inspect('sent', ...envelopes.sent!, ...withKey('right'));
    expect([code, told]).toEqual([0, expect.stringContaining('authentic, under the customer’s key')]);
  });

  it('says without the key that it takes one', async () => {
    const { code, told } = await inspect('sent', ...envelopes.sent!);
    expect([code, told]).toEqual([
      0,
      expect.stringContaining('no: that takes the customer’s key (--customer-key-file)'),
    ]);
  });

  it('fails with another key, for another tenant, and where the object has none', async () => {
    await keyFile('other', Buffer.alloc(32, 0x52));
    for (const [name, key, tenant] of [
      ['sent', 'other', 'acme'],
      ['sent', 'right', 'beta'],
      ['managed', 'right', 'acme'],
    ] as const) {
      expect((await inspect(name, ...envelopes[name]!, ...withKey(key, tenant))).code).toBe(1);
    }
    expect((await inspect('sent', '--tenant', 'acme')).code).toBe(2);
  });
});
