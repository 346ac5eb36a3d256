import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tool } from '../test/support/tools.ts';
import type { Target } from './targets.ts';

const run = promisify(execFile);

/** How aws-cli cuts transfers: by default parts and ranges of 8 MiB, ten at once. */
export const AWS_SETTINGS = {
  defaults: '',
  '16 MiB x4': '  multipart_threshold = 16MB\n  multipart_chunksize = 16MB\n  max_concurrent_requests = 4\n',
} as const;

export type AwsSetting = keyof typeof AWS_SETTINGS;

/** `aws s3 cp` from or to a file; either place may be s3://. Throws when it fails. */
export async function awsCopy(target: Target, copy: AwsCopy): Promise<void> {
  const home = join(copy.folder, 'aws-cli');
  mkdirSync(home, { recursive: true });
  const config = join(home, copy.setting.replaceAll(' ', '-'));
  writeFileSync(config, `[default]\ns3 =\n  addressing_style = path\n${AWS_SETTINGS[copy.setting]}`);
  await run(
    tool('aws'),
    ['--endpoint-url', target.endpoint.origin, 's3', 'cp', '--only-show-errors', copy.from, copy.to],
    { env: { ...process.env, ...credentialsOf(target), AWS_CONFIG_FILE: config, AWS_MAX_ATTEMPTS: '1' } },
  );
}

export interface AwsCopy {
  readonly setting: AwsSetting;
  readonly from: string;
  readonly to: string;
  /** For its configuration. */
  readonly folder: string;
}

/** `rclone sync` of a folder with rclone's defaults; returns how many files it transferred. Throws when it fails. */
export async function rcloneSync(target: Target, from: string, prefix: string): Promise<number> {
  const { credentials } = target;
  const { stderr } = await run(
    tool('rclone'),
    [
      ...['--config', '/dev/null', '--retries', '1', '--low-level-retries', '1', '--stats-one-line', '--use-json-log'],
      ...['--verbose', 'sync', from, `bench:${target.bucket}/${prefix}`],
    ],
    {
      maxBuffer: 64 * 1024 * 1024, // a line a file
      env: {
        ...process.env,
        AWS_CA_BUNDLE: '', // rclone takes it from the environment, and can't use it
        RCLONE_CONFIG_BENCH_TYPE: 's3',
        RCLONE_CONFIG_BENCH_PROVIDER: 'Minio',
        RCLONE_CONFIG_BENCH_ENDPOINT: target.endpoint.origin,
        RCLONE_CONFIG_BENCH_REGION: credentials.region,
        RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: credentials.accessKeyId,
        RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
    },
  );
  return stderr.match(/"msg":"Copied \(/g)?.length ?? 0;
}

function credentialsOf({ credentials }: Target): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: credentials.region,
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
