import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from '../tools.ts';
import { runProgram } from './gateway.ts';
import type { Minio } from './minio.ts';

/** MinIO's own users and policies, made with MinIO's own client. */
export interface MinioAdmin {
  /** A user who may do what the statements say, and nothing else. */
  addUser(user: MinioUser, statements: readonly PolicyStatement[]): Promise<void>;
  /** Leaves the user without any right. */
  removeRights(user: MinioUser): Promise<void>;
  disableUser(accessKeyId: string): Promise<void>;
  changeSecret(user: MinioUser): Promise<void>;
  /** What anybody may do in a bucket. */
  setBucketPolicy(bucket: string, statements: readonly PolicyStatement[]): Promise<void>;
  close(): Promise<void>;
}

export interface MinioUser {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface PolicyStatement {
  readonly actions: readonly string[];
  /** `bucket` or `bucket/key*`; of buckets where the action is a bucket's. */
  readonly on: readonly string[];
}

export async function minioAdmin(minio: Minio): Promise<MinioAdmin> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-mc-'));
  const { host } = new URL(minio.endpoint);
  const env = { MC_HOST_test: `http://${minio.accessKeyId}:${minio.secretAccessKey}@${host}` };
  const mc = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runProgram(tool('mc'), ['--config-dir', folder, ...args], { env });
    if (code !== 0) throw new Error(`mc ${args.slice(0, 3).join(' ')} failed:\n${stdout}${stderr}`);
  };
  const document = async (statements: readonly PolicyStatement[], principal?: { readonly AWS: readonly string[] }) => {
    const file = join(folder, 'policy.json');
    const Statement = statements.map(({ actions, on }) => ({
      Effect: 'Allow',
      ...(principal && { Principal: principal }),
      Action: actions,
      Resource: on.map((place) => `arn:aws:s3:::${place}`),
    }));
    await writeFile(file, JSON.stringify({ Version: '2012-10-17', Statement }));
    return file;
  };
  const addUser = ({ accessKeyId, secretAccessKey }: MinioUser) =>
    mc('admin', 'user', 'add', 'test', accessKeyId, secretAccessKey);
  return {
    addUser: async (user, statements) => {
      const policy = `for-${user.accessKeyId}`;
      await addUser(user);
      await mc('admin', 'policy', 'create', 'test', policy, await document(statements));
      await mc('admin', 'policy', 'attach', 'test', policy, '--user', user.accessKeyId);
    },
    removeRights: ({ accessKeyId }) =>
      mc('admin', 'policy', 'detach', 'test', `for-${accessKeyId}`, '--user', accessKeyId),
    disableUser: (accessKeyId) => mc('admin', 'user', 'disable', 'test', accessKeyId),
    changeSecret: addUser,
    setBucketPolicy: async (bucket, statements) =>
      mc('anonymous', 'set-json', await document(statements, { AWS: ['*'] }), `test/${bucket}`),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
