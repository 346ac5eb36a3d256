import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-aws-cli';

/** As docs tell: SigV4 for presigned URLs. Large files go up in parts by default. */
const CONFIG = `[default]
region = us-east-1
s3 =
  addressing_style = path
  signature_version = s3v4
`;

describe('aws-cli over MinIO and Redis', () => {
  let folder: string;
  let stand: Stand;

  const run = (args: readonly string[], options: { readonly input?: string; readonly config?: string } = {}) =>
    runProgram(tool('aws'), ['--endpoint-url', stand.gateway.endpoint, ...args], {
      cwd: folder,
      env: { ...awsEnvironment(), AWS_CONFIG_FILE: join(folder, options.config ?? 'config'), AWS_MAX_ATTEMPTS: '1' },
      ...(options.input !== undefined && { input: options.input }),
    });

  /** Its output; what fails says so with what it printed. */
  async function aws(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(args);
    expect(`${code} ${stderr}`, args.join(' ')).toBe('0 ');
    return stdout;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-aws-cli-'));
    await writeFile(join(folder, 'config'), CONFIG);
    await writeFile(join(folder, 'default'), '[default]\ns3 =\n  addressing_style = path\n');
    stand = await standOnMinio();
    await aws('s3', 'mb', `s3://${BUCKET}`);
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('copies up and down, large ones too', async () => {
    const sent = payload(20 * MIB + 1, 31);
    await writeFile(join(folder, 'large'), sent);
    await aws('s3', 'cp', '--no-progress', 'large', `s3://${BUCKET}/large`);
    await aws('s3', 'cp', '--no-progress', `s3://${BUCKET}/large`, 'whole');
    expect(sha256(await readFile(join(folder, 'whole')))).toBe(sha256(sent));
    // By default aws-cli downloads this in ranges, several at once.
    const { code } = await run(['s3', 'cp', '--no-progress', `s3://${BUCKET}/large`, 'ranges'], { config: 'default' });
    expect([code, sha256(await readFile(join(folder, 'ranges')))]).toEqual([0, sha256(sent)]);
  });

  it.each(['SHA512', 'SHA256'])('sends a %s along, with every part, and verifies it', async (name) => {
    const sent = payload(17 * MIB + 1, 37);
    await writeFile(join(folder, 'summed'), sent);
    const key = `summed/${name}`;
    await aws('s3', 'cp', '--no-progress', '--checksum-algorithm', name, 'summed', `s3://${BUCKET}/${key}`);
    const ref = ['--bucket', BUCKET, '--key', key];
    const head = JSON.parse(await aws('s3api', 'head-object', ...ref, '--checksum-mode', 'ENABLED'));
    expect([head[`Checksum${name}`], head.ChecksumType]).toEqual([expect.stringMatching(/-3$/), 'COMPOSITE']);
    await aws('s3', 'cp', '--no-progress', '--checksum-mode', 'ENABLED', `s3://${BUCKET}/${key}`, 'verified');
    expect(sha256(await readFile(join(folder, 'verified')))).toBe(sha256(sent));
    const small = ['s3api', 'put-object', ...ref, '--body', 'config', '--checksum-algorithm', name];
    expect(JSON.parse(await aws(...small))).toMatchObject({ ChecksumType: 'FULL_OBJECT' });
  });

  it('copies from standard input and to standard output', async () => {
    const { code } = await run(['s3', 'cp', '-', `s3://${BUCKET}/streamed`], { input: 'by a pipe' });
    expect([code, await aws('s3', 'cp', `s3://${BUCKET}/streamed`, '-')]).toEqual([0, 'by a pipe']);
  });

  it('lists plaintext sizes', async () => {
    await writeFile(join(folder, 'hundred'), payload(100, 32));
    await aws('s3', 'cp', '--no-progress', 'hundred', `s3://${BUCKET}/listed/a b/ü`);
    await aws('s3', 'mv', '--no-progress', 'hundred', `s3://${BUCKET}/listed/c`);
    expect(await aws('s3', 'ls', `s3://${BUCKET}/listed/`)).toMatch(/PRE a b\/\n.* 100 c\n$/);
    const all = await aws('s3', 'ls', '--recursive', '--summarize', `s3://${BUCKET}/listed/`);
    expect(all).toMatch(/ 100 listed\/a b\/ü\n.* 100 listed\/c\n/);
    expect(all).toMatch(/Total Objects: 2\n\s+Total Size: 200\n/);
  });

  it('syncs, and a second time transfers nothing', async () => {
    const source = join(folder, 'source');
    await mkdir(join(source, 'sub/deep'), { recursive: true });
    const files: Readonly<Record<string, Buffer>> = {
      empty: Buffer.alloc(0),
      'with space': payload(70_000, 33),
      'sub/deep/plus+%': payload(1, 34),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(source, name), bytes);
    const remote = `s3://${BUCKET}/sync`;
    expect((await aws('s3', 'sync', '--no-progress', 'source', remote)).match(/^upload:/gm)?.length).toBe(3);
    expect(await aws('s3', 'sync', '--no-progress', 'source', remote)).toBe('');
    await aws('s3', 'sync', '--no-progress', remote, 'target');
    for (const [name, bytes] of Object.entries(files)) {
      expect(sha256(await readFile(join(folder, 'target', name)))).toBe(sha256(bytes));
    }
    expect(await aws('s3', 'sync', '--no-progress', remote, 'target')).toBe('');
    // A changed size is seen in the listing, a new time too.
    await writeFile(join(source, 'empty'), 'not any more');
    await utimes(join(source, 'with space'), new Date(), new Date(Date.now() + 60_000));
    await rm(join(source, 'sub'), { recursive: true });
    const changes = await aws('s3', 'sync', '--no-progress', '--delete', 'source', remote);
    expect([changes.match(/^upload:/gm)?.length, changes.match(/^delete:/gm)?.length]).toEqual([2, 1]);
    await aws('s3', 'rm', '--recursive', remote);
    expect((await run(['s3', 'ls', `${remote}/`])).code).toBe(1);
  });

  it('speaks s3api: metadata, ranges, pages', async () => {
    await writeFile(join(folder, 'body'), payload(100_000, 35));
    const ref = ['--bucket', BUCKET, '--key', 'api'];
    const metadata = [
      '--metadata',
      'colour=blue,with-dash=a b',
      '--content-type',
      'text/csv',
      '--expires',
      '2030-01-01',
    ];
    const stored = JSON.parse(await aws('s3api', 'put-object', ...ref, '--body', 'body', ...metadata));
    const head = JSON.parse(await aws('s3api', 'head-object', ...ref));
    expect(head).toMatchObject({
      ContentLength: 100_000,
      ContentType: 'text/csv',
      ETag: stored.ETag,
      Metadata: { colour: 'blue', 'with-dash': 'a b' },
    });
    expect(new Date(head.Expires ?? head.ExpiresString).toISOString()).toBe('2030-01-01T00:00:00.000Z');
    await aws('s3api', 'get-object', ...ref, '--range', 'bytes=65530-65549', 'part');
    expect(await readFile(join(folder, 'part'))).toEqual(payload(100_000, 35).subarray(65_530, 65_550));
    const page = JSON.parse(await aws('s3api', 'list-objects-v2', '--bucket', BUCKET, '--max-items', '1'));
    expect([page.Contents.length, typeof page.NextToken]).toEqual([1, 'string']);
    const missing = await run(['s3api', 'get-object', '--bucket', BUCKET, '--key', 'absent', 'nothing']);
    expect([missing.code, missing.stderr]).toEqual([255, expect.stringContaining('(NoSuchKey)')]);
  });

  it('presigns', async () => {
    await run(['s3', 'cp', '-', `s3://${BUCKET}/presigned`], { input: 'signed' });
    const url = (await aws('s3', 'presign', `s3://${BUCKET}/presigned`)).trim();
    expect(url).toContain('X-Amz-Algorithm=AWS4-HMAC-SHA256');
    expect(await (await fetch(url)).text()).toBe('signed');
  });

  it('copies, moves and syncs from bucket to bucket', async () => {
    const sent = payload(17 * MIB + 3, 36); // copied in three parts, by default
    await writeFile(join(folder, 'between'), sent);
    const [from, to] = [`s3://${BUCKET}/between`, `s3://${BUCKET}-other`];
    await aws('s3', 'mb', to);
    await aws('s3', 'cp', '--no-progress', 'between', `${from}/ü+1`);
    await aws('s3', 'cp', '--no-progress', `${from}/ü+1`, `${to}/copied`);
    await aws('s3', 'mv', '--no-progress', `${to}/copied`, `${to}/moved`);
    await aws('s3', 'cp', '--no-progress', `${to}/moved`, 'back');
    expect(sha256(await readFile(join(folder, 'back')))).toBe(sha256(sent));
    // In parts aws-cli itself leaves metadata behind; what is copied in one request keeps it.
    await writeFile(join(folder, 'small'), 'x');
    const described = ['--content-type', 'text/csv', '--metadata', 'a=b'];
    await aws('s3', 'cp', '--no-progress', ...described, 'small', `s3://${BUCKET}/small`);
    await aws('s3', 'cp', '--no-progress', `s3://${BUCKET}/small`, `${to}/small`);
    const head = await aws('s3api', 'head-object', '--bucket', `${BUCKET}-other`, '--key', 'small');
    expect(JSON.parse(head)).toMatchObject({ ContentLength: 1, ContentType: 'text/csv', Metadata: { a: 'b' } });
    const own = await run(['s3', 'cp', '--no-progress', `${to}/small`, `${to}/small`]);
    expect([own.code, own.stderr]).toEqual([1, expect.stringMatching(/InvalidRequest.*to itself/)]);
    await aws('s3', 'rm', `${to}/small`);
    expect((await run(['s3', 'ls', `${to}/copied`])).stdout).toBe('');
    expect((await aws('s3', 'sync', '--no-progress', from, `${to}/synced`)).match(/^copy:/gm)?.length).toBe(1);
    expect(await aws('s3', 'sync', '--no-progress', from, `${to}/synced`)).toBe('');
    await aws('s3', 'mv', '--no-progress', '--recursive', `${to}/synced`, `${to}/renamed`);
    expect(await aws('s3', 'ls', '--recursive', to)).toMatch(/moved\n.* renamed\/ü\+1\n$/);
    await aws(
      's3',
      'cp',
      '--no-progress',
      '--recursive',
      '--metadata-directive',
      'REPLACE',
      `${to}/renamed`,
      `${to}/renamed`,
    );
    const foreign = await run(['s3', 'cp', '--no-progress', `${to}/moved`, 's3://of-another-tenant/x']);
    expect([foreign.code, foreign.stderr]).toEqual([1, expect.stringContaining('AccessDenied')]);
  });

  it('sets the default encryption of a bucket, reads it and takes it back', async () => {
    const told = async () => JSON.parse(await aws('s3api', 'get-bucket-encryption', '--bucket', BUCKET));
    const rule = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' }, BucketKeyEnabled: true };
    const configuration = JSON.stringify({ Rules: [rule] });
    const set = ['--bucket', BUCKET, '--server-side-encryption-configuration', configuration];
    await aws('s3api', 'put-bucket-encryption', ...set);
    expect(await told()).toEqual({ ServerSideEncryptionConfiguration: { Rules: [rule] } });
    await aws('s3api', 'delete-bucket-encryption', '--bucket', BUCKET);
    const unset = { ...rule, BucketKeyEnabled: false };
    expect(await told()).toEqual({ ServerSideEncryptionConfiguration: { Rules: [unset] } });
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
    expect(stand.gateway.output()).not.toContain('X-Amz-Signature=');
  });
});
