import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { type Lie, type LyingProxy, refusing, startLyingProxy, type Told } from '../../support/proxies/lying-proxy.ts';
import { STORES } from '../../support/servers/every-store.ts';
import { runProgram } from '../../support/servers/gateway.ts';
import { type StoreStand, standOver } from '../../support/servers/stand.ts';
import { onceClient } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

/**
 * What programs that resume downloads make of a store that breaks one off and then says that there is no more: none may
 * end well with less than the object, as `wget -c` and `curl -C -` do at a 416, and wget at a 304.
 */

const MIB = 1024 * 1024;
const BUCKET = 'acme-broken';
const BODY = payload(6 * MIB, 9);
const CUT_AFTER = MIB + 100_000;

const cut = (told: Told): Told => (told.status < 300 ? { ...told, cutAfter: CUT_AFTER } : told);
const refused = (status: number, code: string): Lie => refusing(status, code);

/** The first answer with bytes breaks off; what the store says from then on. */
const AFTERWARDS: readonly (readonly [string, Lie])[] = [
  ['416 to everything', refused(416, 'InvalidRange')],
  ['304 to everything', refused(304, 'NotModified')],
  [
    '416 to GET alone',
    (asked, told) => (asked.method === 'GET' ? refusing(416, 'InvalidRange')(asked, told) : undefined),
  ],
  [
    'an empty object',
    (_asked, told) => ({
      ...told,
      status: 200,
      headers: told.headers
        .filter(([name]) => name !== 'content-length' && name !== 'content-range')
        .concat([['content-length', '0']]),
      body: Buffer.alloc(0),
    }),
  ],
];

/** Programs that leave what they have in `file`, begun or not. */
const PROGRAMS: readonly (readonly [string, (url: string, file: string) => readonly [string, readonly string[]]])[] = [
  ['wget', (url, file) => [tool('wget'), ['-q', '--tries=3', '--waitretry=0', '-O', file, url]]],
  ['wget -c', (url, file) => [tool('wget'), ['-q', '-c', '--tries=3', '--waitretry=0', '-O', file, url]]],
  ['curl --fail -C -', (url, file) => [tool('curl'), ['-sS', '--fail', '-C', '-', '-o', file, url]]],
  ['curl -C -', (url, file) => [tool('curl'), ['-sS', '-C', '-', '-o', file, url]]],
];

describe.each(STORES)('over %s behind a proxy that lies', (_name, startStore) => {
  let stand: StoreStand;
  let proxy: LyingProxy;
  let client: S3Client;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-broken-'));
    const store = await startStore();
    proxy = await startLyingProxy(store);
    stand = await standOver(store, { backend: { endpoint: proxy.endpoint, retries: 0 } });
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'single', Body: BODY }));
    const at = { Bucket: BUCKET, Key: 'parts' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
    const Parts = [];
    for (const [PartNumber, Body] of [
      [1, BODY.subarray(0, 5 * MIB)],
      [2, BODY.subarray(5 * MIB)],
    ] as const) {
      const { ETag } = await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
  });

  afterEach(() => proxy.tell(undefined));

  afterAll(async () => {
    await stand?.stop();
    await proxy?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const isObject = (key: string) => (asked: { readonly target: string }) =>
    asked.target.split('?')[0] === `/${BUCKET}/${key}`;

  it.each(['single', 'parts'])('%s: no program ends well with a part of it', async (key) => {
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    const breaches: string[] = [];
    for (const [lie, afterwards] of AFTERWARDS) {
      for (const [program, command] of PROGRAMS) {
        for (const begun of [false, true]) {
          const file = join(folder, 'file');
          await rm(file, { force: true });
          if (begun) await writeFile(file, BODY.subarray(0, CUT_AFTER));
          proxy.tell((asked, told) => (!begun && asked.nth === 1 ? cut(told) : afterwards(asked, told)), isObject(key));
          const { code } = await runProgram(...command(url, file));
          const has = await readFile(file).catch(() => Buffer.alloc(0));
          // Without --fail curl saves an error's document and calls that well: it is no beginning of the object.
          const isDocument = program === 'curl -C -' && !begun && has.toString('latin1', 0, 5) === '<?xml';
          if (code === 0 && !has.equals(BODY) && !isDocument) {
            breaches.push(`${program}${begun ? ', begun' : ''} × ${lie}: exit 0 with ${has.length} bytes`);
          }
        }
      }
    }
    expect(breaches).toEqual([]);
  });

  it.each(['single', 'parts'])(
    '%s: each goes on where a download was broken off, when the store is well again',
    async (key) => {
      const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      const file = join(folder, 'resumed');
      for (const [program, command] of PROGRAMS) {
        await writeFile(file, BODY.subarray(0, program === 'wget' ? 0 : CUT_AFTER));
        const [name, args] = command(url, file);
        expect([program, (await runProgram(name, args)).code]).toEqual([program, 0]);
        expect((await readFile(file)).equals(BODY)).toBe(true);
      }
    },
  );
});
