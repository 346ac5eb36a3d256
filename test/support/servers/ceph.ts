import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { tool } from '../tools.ts';
import { runProgram } from './gateway.ts';
import { answers, type ServerProcess, startServer } from './server-process.ts';
import { capabilitiesOf, type Store } from './store.ts';

const CREDENTIALS = { accessKeyId: 'testceph', secretAccessKey: 'testcephsecret' } as const;

/** A cluster of one monitor and one OSD that keeps its objects in memory. */
const MEMORY_BYTES = 8 * 1024 ** 3;

interface Cluster {
  readonly directory: string;
  readonly configFile: string;
  readonly monitorPort: number;
  readonly port: number;
}

/**
 * A real Ceph Object Gateway (RGW) over the smallest cluster there is. Its programs come from the folder of radosgw: a
 * Debian that has them, or one unpacked elsewhere (dpkg -x), whose libraries lie beside them.
 */
export async function startCephRgw(): Promise<Store> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-ceph-'));
  const cluster = {
    directory,
    configFile: join(directory, 'ceph.conf'),
    monitorPort: await freePort(),
    port: await freePort(),
  };
  const servers: ServerProcess[] = [];
  const stop = async () => {
    for (const server of servers.reverse()) await server.kill();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    servers.push(await startMonitor(cluster));
    servers.push(await startStorage(cluster));
    servers.push(await startRgw(cluster));
    const { accessKeyId, secretAccessKey } = CREDENTIALS;
    const user = ['--uid=test', '--display-name=Test', `--access-key=${accessKeyId}`, `--secret=${secretAccessKey}`];
    await succeed(cluster, 'radosgw-admin', ['user', 'create', ...user]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: 'Ceph RGW',
    endpoint: `http://127.0.0.1:${cluster.port}`,
    port: cluster.port,
    ...CREDENTIALS,
    region: 'us-east-1',
    capabilities: capabilitiesOf('ceph'),
    stop,
  };
}

async function startMonitor(cluster: Cluster): Promise<ServerProcess> {
  const { directory, configFile, monitorPort } = cluster;
  const id = randomUUID();
  for (const name of ['mon', 'osd', 'rgw', 'run']) await mkdir(join(directory, name));
  await writeFile(configFile, configuration(cluster, id));
  const map = join(directory, 'monmap');
  await succeed(cluster, 'monmaptool', ['--create', '--fsid', id, '--addv', 'a', `[v2:127.0.0.1:${monitorPort}]`, map]);
  await succeed(cluster, 'ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map]);
  const isReady = async () => (await run(cluster, 'ceph', ['--connect-timeout', '2', 'mon', 'stat'])).code === 0;
  return serve(cluster, 'ceph-mon', ['-f', '-i', 'a'], isReady);
}

async function startStorage(cluster: Cluster): Promise<ServerProcess> {
  const id = randomUUID();
  await succeed(cluster, 'ceph', ['osd', 'new', id, '0']);
  await succeed(cluster, 'ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', id]);
  const isReady = async () => / 1 up/.test((await run(cluster, 'ceph', ['osd', 'stat'])).stdout);
  return serve(cluster, 'ceph-osd', ['-f', '-i', '0'], isReady);
}

function startRgw(cluster: Cluster): Promise<ServerProcess> {
  const isReady = () => answers(`http://127.0.0.1:${cluster.port}/`);
  // It would insist on encryption to the monitor, which there is not without keys.
  return serve(cluster, 'radosgw', ['-f', '-n', 'client.admin', '--ms-mon-client-mode=crc'], isReady);
}

/** No keys, one copy of everything, nothing on disk but the monitor's own. */
function configuration({ directory, monitorPort, port }: Cluster, id: string): string {
  const libraries = join(root(), 'usr/lib/x86_64-linux-gnu');
  return `[global]
fsid = ${id}
mon host = [v2:127.0.0.1:${monitorPort}]
auth cluster required = none
auth service required = none
auth client required = none
public network = 127.0.0.0/8
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
ms mon client mode = crc
plugin dir = ${libraries}/ceph
erasure code dir = ${libraries}/ceph/erasure-code
osd class dir = ${libraries}/rados-classes
osd class load list = *
osd class default list = *
run dir = ${directory}/run
admin socket = ${directory}/run/$cluster-$name-$pid.asok
log file = ${directory}/$name.log
[mon.a]
host = localhost
mon data = ${directory}/mon
[osd.0]
host = localhost
osd data = ${directory}/osd
osd objectstore = memstore
memstore device bytes = ${MEMORY_BYTES}
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw data = ${directory}/rgw
rgw dns name = 127.0.0.1
`;
}

function serve(cluster: Cluster, name: string, args: readonly string[], isReady: () => Promise<boolean>) {
  const program = join(dirname(tool('ceph')), name);
  return startServer({ name, program, args: ['-c', cluster.configFile, ...args], env: environment(), isReady });
}

function run({ configFile }: Cluster, name: string, args: readonly string[]) {
  return runProgram(join(dirname(tool('ceph')), name), ['-c', configFile, ...args], { env: environment() });
}

async function succeed(cluster: Cluster, name: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(cluster, name, args);
  if (code !== 0) throw new Error(`${name} ${args[0]} failed: ${stdout}${stderr}`);
}

/** Of `…/usr/bin/radosgw`. */
function root(): string {
  return join(dirname(tool('ceph')), '../..');
}

function environment(): Record<string, string> {
  const folders = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu/ceph'];
  return {
    LD_LIBRARY_PATH: folders.map((folder) => join(root(), folder)).join(':'),
    PYTHONPATH: join(root(), 'usr/lib/python3/dist-packages'),
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
