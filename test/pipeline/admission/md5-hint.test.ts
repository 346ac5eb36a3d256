import { describe, expect, it } from 'vitest';
import { Md5EtagHint } from '../../../src/pipeline/admission/md5-hint.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import type { BucketPolicy } from '../../../src/tenants/bucket-policy.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import { getOf, inProcess, putOf } from '../in-process.ts';

const GSUTIL = 'Boto/2.49.0 Python/3.11.2 Linux/6.1.0 gsutil/5.30 (linux) analytics/disabled';

describe('the hint that a bucket should have MD5s as ETags', () => {
  async function stand() {
    const here = await inProcess();
    const hint = new Md5EtagHint();
    return (
      agent: string | undefined,
      policy: Partial<BucketPolicy> = {},
      tenant = 'acme',
      operation: 'put' | 'get' = 'put',
    ) => {
      const context = here.context(policy);
      const trace = new RequestTrace();
      const headers = HeaderList.of(agent === undefined ? [] : [['User-Agent', agent]]);
      hint.note(operation === 'put' ? putOf('k') : getOf('k'), headers, {
        ...context,
        trace,
        tenant: { ...context.tenant, name: tenant },
      });
      return trace.hint;
    };
  }

  it.each([
    GSUTIL,
    'Boto/2.49.0 Python/2.7.18 Linux/5.4',
    'libcloud/3.9.0 (Amazon S3 (us-east-1))',
    'rclone/v1.60.1-DEV',
  ])('is told once a tenant to whoever sends as %s', async (agent) => {
    const hintOf = await stand();
    expect(hintOf(agent)).toContain('etag=md5');
    expect(hintOf(agent)).toBeUndefined();
    expect(hintOf(agent, {}, 'other')).toContain('etag=md5');
  });

  it.each([
    undefined,
    'Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1',
    'aws-cli/1.46.3 md/Botocore#1.44.5',
    'aws-sdk-js/3.1169.0 ua/2.1',
    'MinIO (linux; amd64) minio-go/v7.0.90 mc/RELEASE',
    's3fs/1.90 (commit hash unknown; GnuTLS(gcrypt))',
  ])('is not told to %s, which compares nothing', async (agent) => {
    expect((await stand())(agent)).toBeUndefined();
  });

  it('is not told of reads, nor where ETags are MD5s already', async () => {
    const hintOf = await stand();
    expect(hintOf(GSUTIL, { etag: 'md5' })).toBeUndefined();
    expect(hintOf(GSUTIL, { protection: 'none' })).toBeUndefined();
    expect(hintOf(GSUTIL, {}, 'acme', 'get')).toBeUndefined();
    expect(hintOf(GSUTIL)).toContain('etag=md5');
  });
});
