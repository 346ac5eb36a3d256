import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { type CommandResult, TENANT } from '../../support/servers/gateway.ts';
import type { MinioAdmin, MinioUser } from '../../support/servers/minio-admin.ts';
import { minioAdmin } from '../../support/servers/minio-admin.ts';
import { standOnOwnServers } from '../../support/servers/stand.ts';
import { backendClient, listedKeys, onceClient, read, refusal } from '../../support/sight.ts';

/**
 * The backend has users, policies and ACLs of its own. An access key that carries one of its users is that user: what
 * the backend denies to the one, the gateway denies to the other, whatever it has cached.
 */

const SHARED = 'acme-shared';
const PRIVATE = 'acme-private';
const READER = { accessKeyId: 'backend-reader', secretAccessKey: 'plantedSecretOfTheReader' };
const WRITER = { accessKeyId: 'backend-writer', secretAccessKey: 'plantedSecretOfTheWriter' };
const SMALL = payload(5000, 1);
const LARGE = payload(9 * 1024 * 1024, 2);
const DENIED = [403, 'AccessDenied'];

let stand: Awaited<ReturnType<typeof standOnOwnServers>>;
let admin: MinioAdmin;
let owner: S3Client;
let reader: S3Client;
let writer: S3Client;
const clients: S3Client[] = [];

async function secretFile(user: MinioUser): Promise<string> {
  const file = join(stand.gateway.folder, `${user.accessKeyId}.secret`);
  await writeFile(file, user.secretAccessKey, { mode: 0o600 });
  return file;
}

async function backendKey(user: MinioUser): Promise<string[]> {
  return ['--backend-access-key', user.accessKeyId, '--backend-secret-file', await secretFile(user)];
}

function fine({ code, stdout, stderr }: CommandResult): string {
  expect(code, stdout + stderr).toBe(0);
  return stdout;
}

/** An application with an access key of the tenant, that is this user at the backend. */
async function application(user: MinioUser): Promise<{ client: S3Client; accessKeyId: string }> {
  const made = fine(
    await stand.gateway.command(['credential', 'add', TENANT.name, '--json', ...(await backendKey(user))]),
  );
  const { accessKeyId, secretAccessKey } = JSON.parse(made) as MinioUser;
  const client = onceClient(stand.gateway, { accessKeyId, secretAccessKey });
  clients.push(client);
  return { client, accessKeyId };
}

const put = (client: S3Client, Bucket: string, Key: string, Body: Buffer = SMALL) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body }));

/** Of a length that is not declared: the multipart structure, whose footer is cached. */
async function putInPieces(client: S3Client, Bucket: string, Key: string): Promise<void> {
  const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key }));
  const answer = await fetch(url, { method: 'PUT', body: Readable.toWeb(Readable.from([LARGE])), duplex: 'half' });
  expect(answer.status).toBe(200);
}

beforeAll(async () => {
  stand = await standOnOwnServers();
  admin = await minioAdmin(stand.minio);
  owner = onceClient(stand.gateway);
  clients.push(owner);
  for (const Bucket of [SHARED, PRIVATE]) await owner.send(new CreateBucketCommand({ Bucket }));
  await admin.addUser(READER, [
    { actions: ['s3:GetObject', 's3:GetObjectTagging'], on: [`${SHARED}/*`] },
    { actions: ['s3:ListBucket', 's3:GetBucketLocation'], on: [SHARED] },
  ]);
  await admin.addUser(WRITER, [{ actions: ['s3:PutObject', 's3:DeleteObject'], on: [`${SHARED}/*`, `${PRIVATE}/*`] }]);
  reader = (await application(READER)).client;
  writer = (await application(WRITER)).client;
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await admin?.close();
  await stand?.stop();
});

describe('two applications of one tenant, two users of the backend', () => {
  it('see different rights: one reads, the other writes', async () => {
    await put(writer, SHARED, 'object');
    expect(sha256(await read(reader, { Bucket: SHARED, Key: 'object' }))).toBe(sha256(SMALL));
    expect(await listedKeys(reader, SHARED)).toContain('object');
    expect(await refusal(put(reader, SHARED, 'object'))).toEqual(DENIED);
    expect(await refusal(reader.send(new DeleteObjectCommand({ Bucket: SHARED, Key: 'object' })))).toEqual(DENIED);
    expect(await refusal(read(writer, { Bucket: SHARED, Key: 'object' }))).toEqual(DENIED);
    expect(await refusal(listedKeys(writer, SHARED))).toEqual(DENIED);
    expect((await refusal(writer.send(new HeadObjectCommand({ Bucket: SHARED, Key: 'object' }))))[0]).toBe(403);
    expect((await refusal(writer.send(new HeadBucketCommand({ Bucket: SHARED }))))[0]).toBe(403);
  });

  it('and what they write is sealed', async () => {
    const store = backendClient(stand.minio);
    clients.push(store);
    const stored = await read(store, { Bucket: SHARED, Key: 'object' });
    expect(stored.length).toBeGreaterThan(SMALL.length);
    expect(stored.includes(SMALL.subarray(0, 32))).toBe(false);
  });

  it('of many deletions tell each that was denied', async () => {
    await put(owner, PRIVATE, 'kept');
    const { Errors = [] } = await reader.send(
      new DeleteObjectsCommand({ Bucket: SHARED, Delete: { Objects: [{ Key: 'object' }] } }),
    );
    expect(Errors).toMatchObject([{ Key: 'object', Code: 'AccessDenied' }]);
    expect(await listedKeys(owner, SHARED)).toContain('object');
  });

  it('on the pass-through lane too', async () => {
    const tagged = { Bucket: SHARED, Key: 'object' };
    const Tagging = { TagSet: [{ Key: 'a', Value: 'b' }] };
    await owner.send(new PutObjectTaggingCommand({ ...tagged, Tagging }));
    expect((await reader.send(new GetObjectTaggingCommand(tagged))).TagSet).toEqual(Tagging.TagSet);
    expect(await refusal(reader.send(new PutObjectTaggingCommand({ ...tagged, Tagging })))).toEqual(DENIED);
    expect(await refusal(writer.send(new GetObjectTaggingCommand(tagged)))).toEqual(DENIED);
    expect(await refusal(reader.send(new GetBucketPolicyCommand({ Bucket: SHARED })))).toEqual(DENIED);
  });

  it('on a bucket’s policy, also where the gateway holds all of it', async () => {
    const admins = { accessKeyId: 'backend-policies', secretAccessKey: 'plantedSecretOfThePolicies' };
    const actions = ['GetBucketPolicy', 'PutBucketPolicy', 'DeleteBucketPolicy'].map((name) => `s3:${name}`);
    await admin.addUser(admins, [{ actions, on: [PRIVATE] }]);
    const { client: policies } = await application(admins);
    const Condition = { Null: { 's3:x-amz-server-side-encryption': 'true' } };
    const place = { Action: 's3:PutObject', Resource: `arn:aws:s3:::${PRIVATE}/*` };
    const Policy = JSON.stringify({ Statement: [{ Effect: 'Deny', Principal: '*', ...place, Condition }] });
    const set = { Bucket: PRIVATE, Policy };
    for (const client of [reader, writer]) {
      expect(await refusal(client.send(new PutBucketPolicyCommand(set)))).toEqual(DENIED);
      await put(writer, PRIVATE, 'in-clear'); // Nothing was held, then or for a moment that lasts.
    }
    await policies.send(new PutBucketPolicyCommand(set));
    expect(await refusal(put(owner, PRIVATE, 'in-clear'))).toEqual(DENIED);
    for (const client of [reader, writer]) {
      for (const command of [
        new GetBucketPolicyCommand({ Bucket: PRIVATE }),
        new PutBucketPolicyCommand({ ...set, Policy: Policy.replace('true', 'false') }),
        new DeleteBucketPolicyCommand({ Bucket: PRIVATE }),
      ]) {
        expect(await refusal(client.send(command as GetBucketPolicyCommand))).toEqual(DENIED);
      }
    }
    expect((await policies.send(new GetBucketPolicyCommand({ Bucket: PRIVATE }))).Policy).toBe(Policy);
    await policies.send(new DeleteBucketPolicyCommand({ Bucket: PRIVATE }));
    await put(owner, PRIVATE, 'in-clear');
    await owner.send(new DeleteObjectCommand({ Bucket: PRIVATE, Key: 'in-clear' }));
  });

  it('list the buckets that the backend lists for them, within the tenant’s patterns', async () => {
    const store = backendClient(stand.minio);
    clients.push(store);
    await store.send(new CreateBucketCommand({ Bucket: 'others' }));
    const names = async (client: S3Client) =>
      (await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name);
    expect(await names(owner)).toEqual([PRIVATE, SHARED]);
    expect(await names(reader)).toEqual([SHARED]);
    const everything = { accessKeyId: 'backend-everything', secretAccessKey: 'plantedSecretOfAllBuckets' };
    await admin.addUser(everything, [{ actions: ['s3:*'], on: ['*'] }]);
    expect(await names((await application(everything)).client)).toEqual([PRIVATE, SHARED]);
  });

  it('upload in parts with the right to write alone, and not without it', async () => {
    const at = { Bucket: SHARED, Key: 'parts' };
    expect(await refusal(reader.send(new CreateMultipartUploadCommand(at)))).toEqual(DENIED);
    const { UploadId } = await writer.send(new CreateMultipartUploadCommand(at));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    // The second is too small for the store's own uploads, and is staged.
    for (const [index, Body] of [LARGE, SMALL].entries()) {
      const part = { ...at, UploadId, PartNumber: index + 1 };
      expect(await refusal(reader.send(new UploadPartCommand({ ...part, Body })))).toEqual(DENIED);
      const { ETag } = await writer.send(new UploadPartCommand({ ...part, Body }));
      Parts.push({ PartNumber: part.PartNumber, ETag });
    }
    const complete = () => new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } });
    expect(await refusal(reader.send(complete()))).toEqual(DENIED);
    expect(await refusal(reader.send(new ListPartsCommand({ ...at, UploadId })))).toEqual(DENIED);
    expect(await refusal(reader.send(new AbortMultipartUploadCommand({ ...at, UploadId })))).toEqual(DENIED);
    const { ETag: completed } = await writer.send(complete());
    // Who may not read, and did not hear the answer, is told once more what it did itself.
    expect((await writer.send(complete())).ETag).toBe(completed);
    expect(sha256(await read(reader, at))).toBe(sha256(Buffer.concat([LARGE, SMALL])));
  });

  it('copy only what they may read', async () => {
    const copy = (client: S3Client, from: string) =>
      client.send(new CopyObjectCommand({ Bucket: SHARED, Key: 'copy', CopySource: from }));
    expect(await refusal(copy(writer, `${PRIVATE}/kept`))).toEqual(DENIED);
    expect(await refusal(copy(reader, `${SHARED}/object`))).toEqual(DENIED);
    await copy(owner, `${PRIVATE}/kept`);
  });
});

describe('what the gateway has cached', () => {
  it('opens nothing to those whom the backend denies it', async () => {
    await putInPieces(owner, PRIVATE, 'pieces');
    for (const Key of ['kept', 'pieces']) {
      for (const Range of [undefined, 'bytes=10-20', 'bytes=-5']) {
        const asked = { Bucket: PRIVATE, Key, Range, ChecksumMode: 'ENABLED' } as const;
        await read(owner, asked);
        await read(owner, asked);
        await owner.send(new HeadObjectCommand(asked));
        for (const client of [reader, writer]) {
          expect(await refusal(client.send(new GetObjectCommand(asked)))).toEqual(DENIED);
          expect((await refusal(client.send(new HeadObjectCommand(asked))))[0]).toBe(403);
        }
      }
    }
  });

  it('opens nothing any more to those who had read it before', async () => {
    const guest = { accessKeyId: 'backend-guest', secretAccessKey: 'plantedSecretOfTheGuest' };
    await admin.addUser(guest, [{ actions: ['s3:GetObject'], on: [`${PRIVATE}/*`] }]);
    const { client } = await application(guest);
    const asked = { Bucket: PRIVATE, Key: 'pieces', Range: 'bytes=10-20' };
    for (let at = 0; at < 3; at++) expect(await read(client, asked)).toEqual(LARGE.subarray(10, 21));
    await admin.removeRights(guest);
    // MinIO's, not the gateway's: it has the change before mc returns.
    expect(await refusal(client.send(new GetObjectCommand(asked)))).toEqual(DENIED);
    expect((await refusal(client.send(new HeadObjectCommand(asked))))[0]).toBe(403);
  });

  it('tells no names or sizes of a mixed bucket', async () => {
    fine(await stand.gateway.command(['tenant', 'set', TENANT.name, '--bucket', 'acme-*', `${PRIVATE}:mixed`]));
    const sizes = async (client: S3Client) =>
      (await client.send(new ListObjectsV2Command({ Bucket: PRIVATE }))).Contents?.map(({ Size }) => Size);
    await expect.poll(() => sizes(owner)).toEqual([SMALL.length, LARGE.length]);
    expect(await sizes(owner)).toEqual([SMALL.length, LARGE.length]);
    expect(await refusal(sizes(reader))).toEqual(DENIED);
  });
});

describe('whose key the backend sees', () => {
  const tenantReader = { accessKeyId: 'backend-tenant', secretAccessKey: 'plantedSecretOfTheTenant' };
  const mayPut = () => refusal(put(owner, SHARED, 'as-whom')).then(([status]) => status ?? 200);

  it('is the access key’s own, else the tenant’s, else the gateway’s', async () => {
    await admin.addUser(tenantReader, [{ actions: ['s3:GetObject'], on: [`${SHARED}/*`] }]);
    expect(await mayPut()).toBe(200);
    fine(await stand.gateway.command(['tenant', 'set', TENANT.name, ...(await backendKey(tenantReader))]));
    await expect.poll(mayPut).toBe(403);
    expect(sha256(await read(owner, { Bucket: SHARED, Key: 'object' }))).toBe(sha256(SMALL));
    await put(writer, SHARED, 'object'); // its own goes before its tenant's
    const own = ['credential', 'set', TENANT.accessKeyId];
    fine(await stand.gateway.command([...own, ...(await backendKey(WRITER))]));
    await expect.poll(mayPut).toBe(200);
    fine(await stand.gateway.command([...own, '--no-backend-key']));
    await expect.poll(mayPut).toBe(403);
    fine(await stand.gateway.command(['tenant', 'set', TENANT.name, '--no-backend-key']));
    await expect.poll(mayPut).toBe(200);
  });

  it('is shown by its name, never its secret', async () => {
    fine(await stand.gateway.command(['tenant', 'set', TENANT.name, ...(await backendKey(tenantReader))]));
    const shown = await Promise.all(
      ['tenant', 'credential'].flatMap((what) =>
        [[], ['--json']].map((json) => stand.gateway.command([what, 'list', ...json])),
      ),
    );
    const text = shown.map(fine).join('\n');
    for (const { accessKeyId } of [READER, WRITER, tenantReader]) expect(text).toContain(accessKeyId);
    expect(text).not.toContain('planted');
    expect(JSON.parse(fine(shown[1] as CommandResult))).toMatchObject([{ backendAccessKeyId: 'backend-tenant' }]);
    fine(await stand.gateway.command(['tenant', 'set', TENANT.name, '--no-backend-key']));
  });
});

describe('a backend key that the backend does not take', () => {
  const changed = { accessKeyId: 'backend-changed', secretAccessKey: 'plantedSecretBeforeTheChange' };
  const disabled = { accessKeyId: 'backend-disabled', secretAccessKey: 'plantedSecretOfTheDisabled' };
  const nobody = { accessKeyId: 'backend-nobody', secretAccessKey: 'plantedSecretOfNobody' };
  const all = [{ actions: ['s3:*'], on: ['*'] }];
  const made: { client: S3Client; accessKeyId: string }[] = [];

  it.each([
    ['whose secret was changed', changed],
    ['that was disabled', disabled],
    ['that the backend does not know', nobody],
  ])('%s is refused in words that name what to mend', async (_what, user) => {
    if (user !== nobody) await admin.addUser(user, all);
    const app = await application(user);
    made.push(app);
    if (user !== nobody) await put(app.client, SHARED, 'object');
    if (user === changed) await admin.changeSecret({ ...changed, secretAccessKey: 'plantedSecretAfterTheChange' });
    if (user === disabled) await admin.disableUser(disabled.accessKeyId);
    const before = stand.gateway.output().length;
    for (const command of [
      new GetObjectCommand({ Bucket: SHARED, Key: 'object' }),
      new PutObjectCommand({ Bucket: SHARED, Key: 'object', Body: SMALL }),
      new ListBucketsCommand({}),
      new GetObjectTaggingCommand({ Bucket: SHARED, Key: 'object' }), // the pass-through lane
    ]) {
      const error = await app.client.send(command as GetObjectCommand).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
      expect((error as Error).message).toContain('sealgate credential set or tenant set');
      expect((error as Error).message).not.toContain(user.accessKeyId);
    }
    expect((await refusal(app.client.send(new HeadObjectCommand({ Bucket: SHARED, Key: 'object' }))))[0]).toBe(403);
    await expect
      .poll(() => stand.gateway.output().slice(before).split('"errorCode":"BackendKeyRefused"').length - 1)
      .toBe(5);
    expect(stand.gateway.output()).not.toMatch(/planted|BackendError/);
  });

  it('is found by `sealgate check`, by name', async () => {
    const { code, stdout } = await stand.gateway.command(['check', '--json', '--bucket', SHARED]);
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { name: string; outcome: string; detail: string }[] };
    const found = checks.filter(({ name }) => name === 'backend keys');
    expect(found.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    for (const [at, user] of [changed, disabled, nobody].entries()) {
      const { accessKeyId } = made[at] as { accessKeyId: string };
      const detail = `the backend does not take ${user.accessKeyId}, the backend access key of access key ${accessKeyId} of tenant acme`;
      expect(found.map((each) => each.detail)).toContain(detail);
    }
    expect(checks.filter(({ name }) => name === 'probe')).toMatchObject([{ outcome: 'ok' }]);
    expect(stdout).not.toContain('planted');
    const revoked = made.map(({ accessKeyId }) => stand.gateway.command(['credential', 'revoke', accessKeyId]));
    for (const each of await Promise.all(revoked)) fine(each);
    const after = await stand.gateway.command(['check', '--bucket', SHARED]);
    expect(fine(after)).toMatch(/✔ backend keys: the backend takes all \d of tenants and access keys/);
  });

  it('does not make the gateway unready', async () => {
    expect((await fetch(`${stand.gateway.admin}/readyz`)).status).toBe(200);
  });
});
