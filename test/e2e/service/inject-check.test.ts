import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate, type ServerCertificate } from '../../support/certificate.ts';
import type { GatewayProcess } from '../../support/servers/gateway.ts';
import { startMinio } from '../../support/servers/minio.ts';
import { standEmbedded, standOver } from '../../support/servers/stand.ts';
import { sharedVersityGateway } from '../../support/servers/versitygw.ts';
import { listedKeys, onceClient, read, refusal } from '../../support/sight.ts';

const FORMS = ['managed', 'kms', 'customer'] as const;
const BUCKETS = FORMS.map((inject) => `acme-${inject}:protection=inject:inject=${inject}`);

/** What `sealgate check` says of encryption by the store. */
async function checked(gateway: GatewayProcess, args: readonly string[] = []) {
  const { code, stdout } = await gateway.command(['check', '--json', ...args]);
  const { checks } = JSON.parse(stdout) as {
    readonly checks: readonly { name: string; outcome: string; detail: string; hint?: string }[];
  };
  const told = checks.filter(({ name }) => name === 'store encryption');
  return { code, told: told.map(({ outcome, detail }) => `${outcome} ${detail}`), hints: told.map(({ hint }) => hint) };
}

describe('a MinIO without a KMS, with TLS', () => {
  let certificate: ServerCertificate;
  let stand: Awaited<ReturnType<typeof standOver>>;

  beforeAll(async () => {
    certificate = await makeCertificate();
    stand = await standOver(await startMinio({ certificate }), { buckets: [...BUCKETS, 'acme-seal'] });
  });

  afterAll(async () => {
    await stand?.stop();
    await certificate?.remove();
  });

  it('encrypts with keys that the gateway sends, and with no other', async () => {
    const client = onceClient(stand.gateway);
    for (const form of FORMS) {
      const Bucket = `acme-${form}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      const end = await refusal(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })));
      expect([form, ...end]).toEqual(
        form === 'customer' ? [form, undefined, 'nothing failed'] : [form, 501, 'NotImplemented'],
      );
      expect(await listedKeys(client, Bucket)).toEqual(form === 'customer' ? ['k'] : []);
    }
    expect((await read(client, { Bucket: 'acme-customer', Key: 'k' })).toString()).toBe('x');
    client.destroy();
  });

  it('check names what it lacks', async () => {
    const { code, told, hints } = await checked(stand.gateway);
    expect(code).toBe(1);
    expect(told).toEqual([
      expect.stringMatching(/^failed inject: managed: the backend refused the probe/),
      expect.stringMatching(/^failed inject: kms, key aws\/s3: the backend refused the probe/),
      'ok inject: customer: the backend says that it encrypted a probe so',
    ]);
    expect(hints).toEqual([
      expect.stringContaining('MINIO_KMS_SECRET_KEY'),
      expect.stringContaining('MINIO_KMS_SECRET_KEY'),
      undefined,
    ]);
  });

  it('check of such a bucket reads the probe back', async () => {
    const { code, stdout } = await stand.gateway.command(['check', '--bucket', 'acme-customer']);
    expect(stdout).toContain('leaves it to the backend to encrypt (protection inject), which says that it did');
    expect(code).toBe(1); // for the other two
  });
});

const OTHERS = [
  [
    'Versity S3 Gateway, which ignores what it is asked',
    async () => standOver(await sharedVersityGateway(), { buckets: BUCKETS }),
    'the backend took the probe, and does not say that it is encrypted so',
    [502, 'BackendError'],
    4,
  ],
  [
    'the embedded store, which says that it has none of it',
    () => standEmbedded({ buckets: BUCKETS }),
    'the backend refused the probe: The backend does not implement this.',
    [501, 'NotImplemented'],
    0,
  ],
] as const;

describe.each(OTHERS)('%s', (_name, start, why, refused, counted) => {
  let stand: Awaited<ReturnType<typeof standEmbedded>>;

  beforeAll(async () => {
    stand = await start();
  });

  afterAll(async () => {
    await stand?.stop();
  });

  it('check says so, and that keys would go in clear', async () => {
    const { code, told } = await checked(stand.gateway);
    expect(code).toBe(1);
    expect(told).toEqual([
      `failed inject: managed: ${why}`,
      `failed inject: kms, key aws/s3: ${why}`,
      'failed inject: customer: backend.endpoint has no TLS, and keys would go to the backend in clear',
    ]);
  });

  it('a write is refused, nothing stays, and it is told and counted', async () => {
    const client = onceClient(stand.gateway);
    for (const form of FORMS) {
      const Bucket = `acme-${form}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      const put = () => refusal(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })));
      const expected = form === 'customer' ? [501, 'NotImplemented'] : refused;
      expect([form, await put(), await put()]).toEqual([form, expected, expected]);
      expect(await listedKeys(client, Bucket)).toEqual([]);
    }
    client.destroy();
    const metrics = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
    expect(metrics).toContain(`\nsealgate_unencrypted_objects_total ${counted}\n`);
    const told = () => stand.gateway.output().split('"warnings":"unencrypted"').length - 1;
    await expect.poll(told, { timeout: 10_000 }).toBe(counted);
  });
});
