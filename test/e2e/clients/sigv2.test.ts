import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { onceClient } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

const SUITE = join(import.meta.dirname, 'sigv2_suite.py');
const BUCKET = 'acme-sigv2';

describe('Signature Version 2 over MinIO and Redis', () => {
  let stand: Stand;
  let folder: string;

  beforeAll(async () => {
    [stand, folder] = await Promise.all([standOnMinio(), mkdtemp(join(tmpdir(), 'sealgate-sigv2-'))]);
    await onceClient(stand.gateway).send(new CreateBucketCommand({ Bucket: BUCKET }));
    const host = `127.0.0.1:${stand.gateway.port}`;
    const lines = [
      '[default]',
      `access_key = ${TENANT.accessKeyId}`,
      `secret_key = ${TENANT.secretAccessKey}`,
      `host_base = ${host}`,
      `host_bucket = ${host}`, // path style
      'use_https = False',
      'max_retries = 1',
    ];
    await writeFile(join(folder, 's3cmd.cfg'), lines.join('\n'), { mode: 0o600 });
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function boto3(): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await runProgram(tool('python'), [SUITE, stand.gateway.endpoint, BUCKET], {
      env: awsEnvironment(),
    });
    expect([code, stderr]).toEqual([0, '']);
    const steps = stdout.trim().split('\n');
    return Object.fromEntries(steps.map((line) => JSON.parse(line)).map(({ step, value }) => [step, value]));
  }

  const s3cmd = (...args: readonly string[]) =>
    runProgram(tool('s3cmd'), ['--config', 's3cmd.cfg', '--no-progress', '--signature-v2', ...args], { cwd: folder });

  const REFUSED = { refused: [400, 'InvalidRequest'], 'presigned refused': [400, 'InvalidRequest'] };

  it('is refused, clearly, unless the tenant chose it', async () => {
    expect(await boto3()).toEqual(REFUSED);
    const { code, stderr } = await s3cmd('ls');
    expect(code).not.toBe(0);
    expect(stderr).toContain('Please use AWS4-HMAC-SHA256');
  });

  it('of URLs is taken for reading alone where the tenant chose that, and answers and log name the setting', async () => {
    const set = await stand.gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'presigned-reads']);
    expect(set.code).toBe(0);
    const sent = Buffer.from('read by its URL');
    await onceClient(stand.gateway).send(new PutObjectCommand({ Bucket: BUCKET, Key: 'read', Body: sent }));
    const expires = String(Math.floor(Date.now() / 1000) + 60);
    const asked = async (method: string, key = 'read', resource = key) => {
      const text = `${method}\n\n\n${expires}\n/${BUCKET}/${resource}`;
      const Signature = createHmac('sha1', TENANT.secretAccessKey).update(text).digest('base64');
      const query = new URLSearchParams({ AWSAccessKeyId: TENANT.accessKeyId, Expires: expires, Signature });
      const body = method === 'PUT' ? { body: 'written' } : {};
      const answer = await fetch(`${stand.gateway.endpoint}/${BUCKET}/${key}?${query}`, { method, ...body });
      return { status: answer.status, text: await answer.text(), length: answer.headers.get('content-length') };
    };
    await expect.poll(async () => (await asked('GET')).text).toBe(sent.toString());
    expect(await asked('HEAD')).toMatchObject({ status: 200, length: String(sent.length) });
    expect(await asked('GET', 'read', 'another')).toMatchObject({ status: 403 });
    for (const method of ['PUT', 'DELETE']) {
      const { status, text } = await asked(method);
      expect([method, status, text]).toEqual([method, 400, expect.stringContaining('--sigv2 on')]);
    }
    expect((await asked('GET')).text).toBe(sent.toString());
    await onceClient(stand.gateway).send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'read' }));
    expect((await s3cmd('ls')).stderr).toContain('AWS4-HMAC-SHA256');
    expect(await boto3()).toEqual({ refused: [400, 'InvalidRequest'] });
    expect(stand.gateway.output()).toContain('"hint":"tenant set NAME --sigv2 presigned-reads"');
    expect(stand.gateway.output()).toContain('"hint":"tenant set NAME --sigv2 on"');
  });

  it('is taken from boto3 once it did, within a second', async () => {
    expect((await stand.gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'on'])).code).toBe(0);
    await expect.poll(async () => (await s3cmd('ls')).code).toBe(0);
    expect(await boto3()).toEqual({
      object: [true, 'text/x-note', { note: 'a, b' }],
      range: true,
      listings: [[76_800], [76_800]],
      versions: 1,
      tags: [{ Key: 'k', Value: 'v' }],
      location: null,
      'presigned GET': [true, 'attachment; filename="a&b.txt"'],
      'presigned HEAD': '76800',
      'presigned PUT': ['a,b', 'text/csv', { note: 'presigned' }],
      'presigned tags': true,
      'another content type': [403, 'SignatureDoesNotMatch'],
      'another key': [403, 'SignatureDoesNotMatch'],
      'an added selector': [403, 'SignatureDoesNotMatch'],
      expired: [403, 'AccessDenied'],
      deleted: [404, 'NoSuchKey'],
    });
  });

  it('and from s3cmd', async () => {
    const sent = payload(300_001, 7);
    await writeFile(join(folder, 'up'), sent);
    const key = `s3://${BUCKET}/from s3cmd/ü+~`;
    for (const args of [
      ['put', '--disable-multipart', '--add-header', 'x-amz-meta-colour: blue', 'up', key],
      ['get', '--force', key, 'down'],
    ]) {
      expect(await s3cmd(...args)).toMatchObject({ code: 0, stderr: '' });
    }
    expect(sha256(await readFile(join(folder, 'down')))).toBe(sha256(sent));
    expect((await s3cmd('ls', `s3://${BUCKET}/from s3cmd/`)).stdout).toContain(' 300001 ');
    const url = (await s3cmd('signurl', key, '+60')).stdout.trim();
    const answer = await fetch(url);
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(sent));
    expect(await s3cmd('del', key)).toMatchObject({ code: 0, stderr: '' });
  });

  it('is refused again when the tenant thought better of it', async () => {
    expect((await stand.gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'off'])).code).toBe(0);
    await expect.poll(async () => (await s3cmd('ls')).stderr).toContain('AWS4-HMAC-SHA256');
    expect(await boto3()).toEqual(REFUSED);
  });
});
