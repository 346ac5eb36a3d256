import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { BothWays, type Way } from '../../support/servers/both-ways.ts';
import { runProgram } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { read } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

/** Every request goes through the gateway and straight to its MinIO, and must be answered alike. */

let stand: Stand & Awaited<ReturnType<typeof standOnMinio>>;
let both: BothWays;

beforeAll(async () => {
  stand = await standOnMinio();
  both = new BothWays(stand);
});

afterAll(async () => {
  both?.destroy();
  await stand?.stop();
});

const ABSENT_VERSION = '11111111-1111-4111-8111-111111111111';
const IN_AN_HOUR = new Date(Date.now() + 3_600_000);

/** Requests about one key of one bucket. */
function at(name: string, Key: string) {
  const where = (way: Way) => ({ Bucket: way.bucket(name), Key });
  return {
    put:
      (Body: string, more: object = {}) =>
      (way: Way) =>
        new s3.PutObjectCommand({ ...where(way), Body, ...more }),
    get:
      (version?: string, more: object = {}) =>
      (way: Way) =>
        new s3.GetObjectCommand({ ...where(way), ...versionOf(way, version), ...more }),
    head: (version?: string) => (way: Way) => new s3.HeadObjectCommand({ ...where(way), ...versionOf(way, version) }),
    remove:
      (version?: string, more: object = {}) =>
      (way: Way) =>
        new s3.DeleteObjectCommand({ ...where(way), ...versionOf(way, version), ...more }),
    ask:
      (Command: new (input: never) => unknown, version?: string, more: object = {}) =>
      (way: Way) =>
        new Command({ ...where(way), ...versionOf(way, version), ...more } as never) as { middlewareStack: object },
  };
}

/** A version that the test kept, or one by its own id. */
function versionOf(way: Way, version: string | undefined): { VersionId?: string } {
  return version === undefined ? {} : { VersionId: way.kept[version] ?? version };
}

async function createBucket(name: string, more: object = {}): Promise<void> {
  await both.same('create', (way) => new s3.CreateBucketCommand({ Bucket: way.bucket(name), ...more }));
}

async function setVersioning(name: string, Status: 'Enabled' | 'Suspended'): Promise<void> {
  await both.same(
    Status,
    (way) => new s3.PutBucketVersioningCommand({ Bucket: way.bucket(name), VersioningConfiguration: { Status } }),
  );
  const told = await both.same('get', (way) => new s3.GetBucketVersioningCommand({ Bucket: way.bucket(name) }));
  expect(told.fields).toMatchObject({ Status });
}

describe('a versioned bucket', () => {
  const K = at('versions', 'k');

  it('gives each version by its id', async () => {
    await createBucket('versions');
    const old = at('versions', 'from before');
    await both.same('before', old.put('unversioned'));
    await setVersioning('versions', 'Enabled');
    await both.same('old', old.get());
    await both.same('old by id', old.get('null'));
    const first = await both.same('one', K.put('one', { Metadata: { number: 'one' } }), 'one');
    expect(first.headers).toHaveProperty('x-amz-version-id');
    await both.same('two', K.put('second', { ContentType: 'text/plain' }), 'two');
    expect((await both.same('latest', K.get())).fields).toMatchObject({ Body: 'second', ContentLength: 6 });
    expect((await both.same('first', K.get('one'))).fields).toMatchObject({ Body: 'one', Metadata: { number: 'one' } });
    await both.same('head', K.head('one'));
    expect((await both.same('range', K.get('one', { Range: 'bytes=1-' }))).fields).toMatchObject({ Body: 'ne' });
    expect((await both.same('suffix', K.get('one', { Range: 'bytes=-2' }))).fields).toMatchObject({ Body: 'ne' });
  });

  it('tells of versions that are not there', async () => {
    for (const version of ['nonsense', ABSENT_VERSION, 'null']) {
      await both.same(`get ${version}`, K.get(version));
      await both.same(`head ${version}`, K.head(version));
      await both.same(`tags ${version}`, K.ask(s3.GetObjectTaggingCommand, version));
      await both.same(`delete ${version}`, K.remove(version));
    }
    await both.same('another key', at('versions', 'absent').get('one'));
  });

  it('keeps tags and ACLs of each version', async () => {
    const Tagging = { TagSet: [{ Key: 'a', Value: '1' }] };
    await both.same('tag', K.ask(s3.PutObjectTaggingCommand, 'one', { Tagging }));
    expect((await both.same('tags', K.ask(s3.GetObjectTaggingCommand, 'one'))).fields).toMatchObject(Tagging);
    expect((await both.same('none', K.ask(s3.GetObjectTaggingCommand))).fields).toMatchObject({ TagSet: [] });
    expect((await both.same('counted', K.head('one'))).headers).toMatchObject({ 'x-amz-tagging-count': '1' });
    await both.same('untag', K.ask(s3.DeleteObjectTaggingCommand, 'one'));
    await both.same('acl', K.ask(s3.GetObjectAclCommand, 'one'));
    await both.same('put acl', K.ask(s3.PutObjectAclCommand, 'one', { ACL: 'private' }));
    await both.same('put acl', K.ask(s3.PutObjectAclCommand, 'one', { ACL: 'public-read' }));
  });

  it('hides an object behind a delete marker, and gives it back', async () => {
    const deleted = await both.same('delete', K.remove(), 'marker');
    expect(deleted.headers).toMatchObject({ 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'version 3' });
    const gone = await both.same('get', K.get());
    expect([gone.status, gone.code, gone.headers]).toEqual([404, 'NoSuchKey', deleted.headers]);
    const head = await both.same('head', K.head());
    expect([head.status, head.headers]).toEqual([404, deleted.headers]);
    const marker = await both.same('marker', K.get('marker'));
    expect([marker.status, marker.code, marker.headers]).toEqual([405, 'MethodNotAllowed', deleted.headers]);
    const markerHead = await both.same('head of marker', K.head('marker'));
    expect([markerHead.status, markerHead.headers]).toEqual([405, deleted.headers]);
    await both.same('range', K.get(undefined, { Range: 'bytes=0-1' }));
    await both.same('suffix', K.get(undefined, { Range: 'bytes=-1' }));
    await both.same('condition', K.get(undefined, { IfMatch: '"x"' }));
    await both.same('tags', K.ask(s3.GetObjectTaggingCommand));
    await both.same('tags of marker', K.ask(s3.GetObjectTaggingCommand, 'marker'));
    expect((await both.same('older', K.get('two'))).fields).toMatchObject({ Body: 'second' });
    await both.same('versions', (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions') }));
    await both.same('listing', (way) => new s3.ListObjectsV2Command({ Bucket: way.bucket('versions') }));
    await both.same('delete marker', K.remove('marker'));
    expect((await both.same('back', K.get())).fields).toMatchObject({ Body: 'second' });
  });

  it('lists versions with the sizes of their plaintext, page by page', async () => {
    const whole = await both.same('all', (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions') }));
    const { Versions } = whole.fields as { Versions: { Key: string; Size: number; IsLatest: boolean }[] };
    expect(Versions.map(({ Key, Size, IsLatest }) => [Key, Size, IsLatest])).toEqual([
      ['from before', 11, true],
      ['k', 6, true],
      ['k', 3, false],
    ]);
    const page = await both.same(
      'page',
      (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions'), MaxKeys: 2 }),
    );
    expect(page.fields).toMatchObject({
      IsTruncated: true,
      NextKeyMarker: expect.stringMatching(/^k/),
      NextVersionIdMarker: 'version 2',
    });
    const rest = await both.same(
      'rest',
      (way) =>
        new s3.ListObjectVersionsCommand({
          Bucket: way.bucket('versions'),
          KeyMarker: 'k',
          VersionIdMarker: way.kept.two,
        }),
    );
    expect(rest.fields).toMatchObject({ Versions: [{ Key: 'k', Size: 3 }] });
  });

  it('deletes versions for good, one or many', async () => {
    expect((await both.same('one', K.remove('one'))).headers).toEqual({ 'x-amz-version-id': 'version 1' });
    await both.same('gone', K.get('one'));
    await both.same('again', K.remove('one'));
    await both.same('absent key', at('versions', 'never').remove());
    await both.same('three', at('versions', 'm').put('x'), 'm');
    const Objects = (way: Way) => [
      { Key: 'k' },
      { Key: 'k', VersionId: way.kept.two },
      { Key: 'm', VersionId: way.kept.m },
      { Key: 'm', VersionId: 'nonsense' },
      { Key: 'never' },
    ];
    for (const Quiet of [false, true]) {
      await both.same(
        `many, quiet ${Quiet}`,
        (way) =>
          new s3.DeleteObjectsCommand({
            Bucket: way.bucket('versions'),
            Delete: { Quiet, Objects: Objects(way) },
            ChecksumAlgorithm: 'CRC32',
          }),
      );
    }
    await both.same('left', (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions') }));
  });

  it('that is suspended has one version of its own', async () => {
    await setVersioning('versions', 'Suspended');
    const s = at('versions', 's');
    await both.same('put', s.put('first'));
    await both.same('replace', s.put('second one'));
    expect((await both.same('get', s.get('null'))).fields).toMatchObject({ Body: 'second one' });
    await both.same('delete', s.remove());
    const gone = await both.same('get', s.get());
    expect(gone.headers).toEqual({ 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'null' });
    await both.same('marker', s.get('null'));
    await both.same('versions', (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions') }));
    await both.same('delete marker', s.remove('null'));
    await both.same('versions', (way) => new s3.ListObjectVersionsCommand({ Bucket: way.bucket('versions') }));
  });
});

describe('versions in parts', () => {
  const MIB = 1024 * 1024;
  const Key = 'parts';

  it('are read each by its own layout, whole and in ranges, however their requests mix', async () => {
    await createBucket('parts');
    await setVersioning('parts', 'Enabled');
    const [{ client, bucket }] = both.ways;
    const Bucket = bucket('parts');
    const bodies = [payload(11 * MIB + 3, 1), payload(17 * MIB, 2), payload(300_000, 3)];
    const versions: string[] = [];
    for (const Body of bodies) {
      const upload = new Upload({ client, params: { Bucket, Key, Body }, partSize: 5 * MIB });
      versions.push((await upload.done()).VersionId as string);
    }
    expect(new Set(versions).size).toBe(3);
    const at = (version: number, range: string) =>
      read(client, { Bucket, Key, VersionId: versions[version] as string, Range: `bytes=${range}` });
    for (let round = 0; round < 2; round++) {
      for (const [version, body] of bodies.entries()) {
        const middle = Math.floor(body.length / 2);
        expect(await at(version, '0-99')).toEqual(body.subarray(0, 100));
        expect(await at(version, `${middle}-${middle + 70_000}`)).toEqual(body.subarray(middle, middle + 70_001));
        expect(await at(version, '-5')).toEqual(body.subarray(-5));
      }
    }
    await Promise.all(
      bodies.map(async (body, version) => {
        const whole = await read(client, { Bucket, Key, VersionId: versions[version] as string });
        expect(sha256(whole)).toBe(sha256(body));
      }),
    );
    await client.send(new s3.DeleteObjectCommand({ Bucket, Key, VersionId: versions[2] as string }));
    const latest = await read(client, { Bucket, Key });
    expect(sha256(latest)).toBe(sha256(bodies[1] as Buffer));
    const { Versions } = await client.send(new s3.ListObjectVersionsCommand({ Bucket }));
    expect(Versions?.map(({ Size }) => Size)).toEqual([bodies[1]?.length, bodies[0]?.length]);
  });
});

describe('a bucket with object lock', () => {
  const G = at('lock', 'governed');
  const H = at('lock', 'held');
  const LOCK = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: IN_AN_HOUR };
  const BYPASS = { BypassGovernanceRetention: true };

  it('locks what is written', async () => {
    await createBucket('lock', { ObjectLockEnabledForBucket: true });
    await both.same('configuration', (way) => new s3.GetObjectLockConfigurationCommand({ Bucket: way.bucket('lock') }));
    await both.same('put', G.put('governed', LOCK), 'g');
    await both.same('hold', H.put('held', { ObjectLockLegalHoldStatus: 'ON' }), 'h');
    expect((await both.same('head', G.head())).headers).toMatchObject({ 'x-amz-object-lock-mode': 'GOVERNANCE' });
    expect((await both.same('head', H.head('h'))).headers).toMatchObject({ 'x-amz-object-lock-legal-hold': 'ON' });
    await both.same('retention', G.ask(s3.GetObjectRetentionCommand));
    await both.same('retention', G.ask(s3.GetObjectRetentionCommand, 'g'));
    await both.same('hold', H.ask(s3.GetObjectLegalHoldCommand, 'h'));
    await both.same('no retention', H.ask(s3.GetObjectRetentionCommand));
    await both.same('no hold', G.ask(s3.GetObjectLegalHoldCommand));
  });

  it('keeps it from deletion, unless governance is bypassed', async () => {
    const locked = await both.same('delete', G.remove('g'));
    expect([locked.status, locked.code]).toEqual([400, 'InvalidRequest']);
    const many = (more: object) => (way: Way) =>
      new s3.DeleteObjectsCommand({
        Bucket: way.bucket('lock'),
        Delete: { Objects: [{ Key: 'governed', VersionId: way.kept.g }] },
        ChecksumAlgorithm: 'CRC32',
        ...more,
      });
    await both.same('delete many', many({}));
    expect((await both.same('still there', G.get('g'))).fields).toMatchObject({ Body: 'governed' });
    const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(IN_AN_HOUR.getTime() - 60_000) };
    await both.same('shorten', G.ask(s3.PutObjectRetentionCommand, 'g', { Retention }));
    await both.same('shorten', G.ask(s3.PutObjectRetentionCommand, 'g', { Retention, ...BYPASS }));
    await both.same('delete', G.remove('g', BYPASS));
    await both.same('gone', G.get('g'));
    await both.same('put', G.put('again', LOCK), 'g');
    await both.same('delete many', many(BYPASS));
    await both.same('gone', G.get('g'));
  });

  it('keeps what is held whoever asks', async () => {
    await both.same('delete', H.remove('h', BYPASS));
    await both.same('release', H.ask(s3.PutObjectLegalHoldCommand, 'h', { LegalHold: { Status: 'OFF' } }));
    await both.same('delete', H.remove('h', BYPASS));
    await both.same('gone', H.get('h'));
  });

  it('locks by default', async () => {
    const ObjectLockConfiguration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
    } as const;
    await both.same(
      'configure',
      (way) => new s3.PutObjectLockConfigurationCommand({ Bucket: way.bucket('lock'), ObjectLockConfiguration }),
    );
    const d = at('lock', 'by default');
    await both.same('put', d.put('x'), 'd');
    expect((await both.same('head', d.head())).headers).toMatchObject({ 'x-amz-object-lock-mode': 'GOVERNANCE' });
    await both.same('delete', d.remove('d'));
  });

  it('is the only one that locks', async () => {
    await createBucket('plain');
    await both.same('put', at('plain', 'k').put('x', LOCK));
    await both.same('put', at('plain', 'k').put('x'));
    await both.same('retention', at('plain', 'k').ask(s3.GetObjectRetentionCommand));
    await both.same(
      'configuration',
      (way) => new s3.GetObjectLockConfigurationCommand({ Bucket: way.bucket('plain') }),
    );
  });
});

describe('archives', () => {
  const k = at('archives', 'k');

  it('are asked to give an object back', async () => {
    await createBucket('archives');
    await both.same('put', k.put('x'));
    const told = await both.same('restore', k.ask(s3.RestoreObjectCommand, undefined, { RestoreRequest: { Days: 1 } }));
    expect([told.status, told.code]).toEqual([403, 'InvalidObjectState']);
    await both.same(
      'absent',
      at('archives', 'absent').ask(s3.RestoreObjectCommand, undefined, { RestoreRequest: { Days: 1 } }),
    );
  });

  it('are not asked to read it', async () => {
    const RestoreRequest = {
      Type: 'SELECT',
      SelectParameters: {
        InputSerialization: { CSV: {} },
        ExpressionType: 'SQL',
        Expression: 'SELECT * FROM S3Object',
        OutputSerialization: { CSV: {} },
      },
      OutputLocation: { S3: { BucketName: 'acme-archives', Prefix: 'out' } },
    };
    const [through] = await both.both(k.ask(s3.RestoreObjectCommand, undefined, { RestoreRequest }));
    expect([through.status, through.code]).toEqual([501, 'NotImplemented']);
  });
});

describe('bucket settings', () => {
  it('pass through', async () => {
    await createBucket('settings');
    const bucket = (way: Way) => ({ Bucket: way.bucket('settings') });
    const Policy = (way: Way) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: ['*'] },
            Action: ['s3:GetBucketLocation'],
            Resource: [`arn:aws:s3:::${way.bucket('settings')}`],
          },
        ],
      });
    await both.same('no tags', (way) => new s3.GetBucketTaggingCommand(bucket(way)));
    const Tagging = { TagSet: [{ Key: 'a', Value: 'b c' }] };
    await both.same('tag', (way) => new s3.PutBucketTaggingCommand({ ...bucket(way), Tagging }));
    expect((await both.same('tags', (way) => new s3.GetBucketTaggingCommand(bucket(way)))).fields).toEqual(Tagging);
    await both.same('untag', (way) => new s3.DeleteBucketTaggingCommand(bucket(way)));
    await both.same('no policy', (way) => new s3.GetBucketPolicyCommand(bucket(way)));
    await both.same('put policy', (way) => new s3.PutBucketPolicyCommand({ ...bucket(way), Policy: Policy(way) }));
    await both.same('policy', (way) => new s3.GetBucketPolicyCommand(bucket(way)));
    await both.same('policy status', (way) => new s3.GetBucketPolicyStatusCommand(bucket(way)));
    await both.same('delete policy', (way) => new s3.DeleteBucketPolicyCommand(bucket(way)));
    const Rules: s3.LifecycleRule[] = [
      { ID: 'r', Status: 'Enabled', Filter: { Prefix: 'tmp/' }, Expiration: { Days: 1 } },
    ];
    await both.same('no rules', (way) => new s3.GetBucketLifecycleConfigurationCommand(bucket(way)));
    await both.same(
      'put rules',
      (way) => new s3.PutBucketLifecycleConfigurationCommand({ ...bucket(way), LifecycleConfiguration: { Rules } }),
    );
    await both.same('rules', (way) => new s3.GetBucketLifecycleConfigurationCommand(bucket(way)));
    await both.same('expiry', at('settings', 'tmp/a').put('x'));
    await both.same('expiry', at('settings', 'tmp/a').head());
    await both.same('delete rules', (way) => new s3.DeleteBucketLifecycleCommand(bucket(way)));
    await both.same('acl', (way) => new s3.GetBucketAclCommand(bucket(way)));
    await both.same('put acl', (way) => new s3.PutBucketAclCommand({ ...bucket(way), ACL: 'private' }));
    await both.same('versioning', (way) => new s3.GetBucketVersioningCommand(bucket(way)));
    await both.same('replication', (way) => new s3.GetBucketReplicationCommand(bucket(way)));
    await both.same('notification', (way) => new s3.GetBucketNotificationConfigurationCommand(bucket(way)));
    await both.same('cors', (way) => new s3.GetBucketCorsCommand(bucket(way)));
    await both.same('website', (way) => new s3.GetBucketWebsiteCommand(bucket(way)));
    await both.same('logging', (way) => new s3.GetBucketLoggingCommand(bucket(way)));
    await both.same('payment', (way) => new s3.GetBucketRequestPaymentCommand(bucket(way)));
    await both.same('accelerate', (way) => new s3.GetBucketAccelerateConfigurationCommand(bucket(way)));
    await both.same('of no bucket', () => new s3.GetBucketTaggingCommand({ Bucket: 'acme-nowhere' }));
  });
});

describe('boto3', () => {
  const run = async (endpoint: string, prefix: string, env: Record<string, string>) => {
    const script = join(import.meta.dirname, 'boto3_versions.py');
    const { code, stdout, stderr } = await runProgram(tool('python'), [script, endpoint, prefix], { env });
    expect([code, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((line) => line !== '');
  };

  it('is answered alike on both ways', async () => {
    const { gateway, minio } = stand;
    const through = await run(gateway.endpoint, 'acme-boto3', awsEnvironment());
    const direct = await run(minio.endpoint, 'direct-boto3', {
      ...awsEnvironment(),
      AWS_ACCESS_KEY_ID: minio.accessKeyId,
      AWS_SECRET_ACCESS_KEY: minio.secretAccessKey,
    });
    expect(through.length).toBeGreaterThan(40);
    expect(through).toEqual(direct);
  });
});
