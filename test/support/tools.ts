import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

/** Programs that tests and benchmarks run as processes. */
export type ToolName =
  | 'minio'
  | 'mc'
  | 'versitygw'
  | 'ceph'
  | 'redis'
  | 'valkey'
  | 'next-node'
  | 'python'
  | 'aws'
  | 's3cmd'
  | 'rclone'
  | 'restic'
  | 'kubernetes-validate'
  | 'nginx'
  | 'wrk'
  | 'curl'
  | 'wget'
  | 'oss-python'
  | 'oss-node'
  | 'oss-go'
  | 'oss-java'
  | 'cos-python'
  | 'cos-node'
  | 'cos-go'
  | 'cos-go-page'
  | 'qingstor-python'
  | 'rclone-qingstor';

interface ToolPlace {
  /** Environment variable with the absolute path; `npm test` sets it for vitest. */
  readonly variable: string;
  /** Path below the cache folder where `npm test` puts it. */
  readonly cached: string;
  /** Names to look for on PATH, or absolute paths outside of it (Debian keeps servers in /usr/sbin). */
  readonly onPath: readonly string[];
}

/** The Python ones never come from PATH: their versions are pinned in install/requirements.txt. */
export const TOOL_PLACES: Readonly<Record<ToolName, ToolPlace>> = {
  minio: { variable: 'SEALGATE_TEST_MINIO', cached: 'bin/minio', onPath: ['minio'] },
  // Not from PATH: Midnight Commander has the same name.
  mc: { variable: 'SEALGATE_TEST_MC', cached: 'bin/mc', onPath: [] },
  versitygw: { variable: 'SEALGATE_TEST_VERSITYGW', cached: 'bin/versitygw', onPath: ['versitygw'] },
  ceph: { variable: 'SEALGATE_TEST_CEPH', cached: 'bin/radosgw', onPath: ['radosgw'] },
  redis: { variable: 'SEALGATE_TEST_REDIS', cached: 'bin/redis-server', onPath: ['redis-server'] },
  // Not from PATH: what comes after the pinned Node and beside Redis is tested in pinned versions too.
  valkey: { variable: 'SEALGATE_TEST_VALKEY', cached: 'bin/valkey-server', onPath: [] },
  'next-node': { variable: 'SEALGATE_TEST_NEXT_NODE', cached: 'next-node/bin/node', onPath: [] },
  python: { variable: 'SEALGATE_TEST_PYTHON', cached: 'python-clients/bin/python', onPath: [] },
  aws: { variable: 'SEALGATE_TEST_AWS', cached: 'python-clients/bin/aws', onPath: [] },
  s3cmd: { variable: 'SEALGATE_TEST_S3CMD', cached: 'python-clients/bin/s3cmd', onPath: [] },
  rclone: { variable: 'SEALGATE_TEST_RCLONE', cached: 'bin/rclone', onPath: ['rclone'] },
  restic: { variable: 'SEALGATE_TEST_RESTIC', cached: 'bin/restic', onPath: ['restic'] },
  'kubernetes-validate': {
    variable: 'SEALGATE_TEST_KUBERNETES_VALIDATE',
    cached: 'python-clients/bin/kubernetes-validate',
    onPath: [],
  },
  nginx: { variable: 'SEALGATE_TEST_NGINX', cached: 'bin/nginx', onPath: ['nginx', '/usr/sbin/nginx'] },
  wrk: { variable: 'SEALGATE_TEST_WRK', cached: 'bin/wrk', onPath: ['wrk'] },
  curl: { variable: 'SEALGATE_TEST_CURL', cached: 'bin/curl', onPath: ['curl'] },
  wget: { variable: 'SEALGATE_TEST_WGET', cached: 'bin/wget', onPath: ['wget'] },
  // The vendor's SDKs, in pinned versions (install/vendor-sdks.ts).
  'oss-python': { variable: 'SEALGATE_TEST_OSS_PYTHON', cached: 'oss-python/bin/python', onPath: [] },
  'oss-node': { variable: 'SEALGATE_TEST_OSS_NODE', cached: 'oss-node/run', onPath: [] },
  'oss-go': { variable: 'SEALGATE_TEST_OSS_GO', cached: 'oss-go/run', onPath: [] },
  'qingstor-python': { variable: 'SEALGATE_TEST_QINGSTOR_PYTHON', cached: 'qingstor-python/bin/python', onPath: [] },
  'rclone-qingstor': { variable: 'SEALGATE_TEST_RCLONE_QINGSTOR', cached: 'rclone-qingstor/run', onPath: [] },
  'oss-java': { variable: 'SEALGATE_TEST_OSS_JAVA', cached: 'oss-java/run', onPath: [] },
  'cos-python': { variable: 'SEALGATE_TEST_COS_PYTHON', cached: 'cos-python/bin/python', onPath: [] },
  'cos-node': { variable: 'SEALGATE_TEST_COS_NODE', cached: 'cos-node/run', onPath: [] },
  'cos-go': { variable: 'SEALGATE_TEST_COS_GO', cached: 'cos-go/run', onPath: [] },
  'cos-go-page': { variable: 'SEALGATE_TEST_COS_GO_PAGE', cached: 'cos-go-page/run', onPath: [] },
};

/** Where `npm test` keeps what it installs; shared by all clones of one user. */
export function cacheFolder(): string {
  const chosen = process.env.SEALGATE_TEST_CACHE;
  if (chosen) return chosen;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sealgate-test');
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first of these names (or absolute paths) that can be run. */
export function findOnPath(names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const name of names) {
    const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
    const found = candidates.find(isExecutable);
    if (found) return found;
  }
  return undefined;
}

/** Absolute path of the tool, from the environment, the cache, or PATH; undefined when it is nowhere. */
export function findTool(name: ToolName): string | undefined {
  const place = TOOL_PLACES[name];
  const given = process.env[place.variable];
  if (given) return given;
  const cached = join(cacheFolder(), place.cached);
  return isExecutable(cached) ? cached : findOnPath(place.onPath);
}

/**
 * Absolute path of the tool. Works under `npm test` and under a bare `vitest run`.
 * Throws when it is not there: a test that can't run fails, it is never skipped.
 */
export function tool(name: ToolName): string {
  const path = findTool(name);
  if (path) return path;
  const { variable } = TOOL_PLACES[name];
  throw new Error(`${name} is not installed: run "npm test" once, which installs it, or set ${variable} to its path`);
}
