import { resolve } from 'node:path';
import { createGateway } from '../../gateway/gateway.ts';
import { openBackend } from '../../gateway/open-backend.ts';
import { openStores } from '../../gateway/open-stores.ts';
import type { Secret } from '../../secret.ts';
import { type Config, loadConfig } from '../../settings/config.ts';
import { type Command, CommandFailed, readArguments, UsageError } from '../shell/command.ts';
import { openCommandLog } from '../shell/command-log.ts';
import { openGatewayClient } from '../shell/gateway-client.ts';
import { ObjectClient } from '../shell/object-client.ts';
import { portProblem } from '../shell/port-problem.ts';
import { EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { stopped } from '../shell/until-stopped.ts';
import { QuickstartFolder } from './quickstart-folder.ts';
import { type Sample, welcomeText } from './quickstart-welcome.ts';

const TENANT = 'demo';
const BUCKET = 'demo';
const MAX_PORT = 65535;
const SAMPLE_KEY = 'hello.txt';
const SAMPLE_TEXT = 'Hello from Sealgate: you read this, the bucket does not.\n';

export const quickstartCommand: Command = {
  usage: `quickstart [options]

Keeps everything in one folder: root key, wrapped keys, objects, a configuration to change. Writes DIR/connection.json
once it is ready. For trying, not for production.

      --data DIR        The folder. Default ./sealgate-data.
      --port PORT       Where clients connect, on 127.0.0.1; 0 takes a free port. Default: as DIR/sealgate.yaml
                        says, 8000 at first.
      --admin-port PORT Where metrics and health are served. Default: likewise, 8001 at first; free with --port 0.`,
  run: async (args, terminal) => {
    const options = {
      data: { type: 'string' },
      port: { type: 'string' },
      'admin-port': { type: 'string' },
    } as const;
    const { values } = readArguments(args, options, { most: 0 });
    const overrides = addressOverrides(values.port, values['admin-port']);
    const folder = new QuickstartFolder(resolve(terminal.cwd, values.data ?? 'sealgate-data'));
    const firstStart = await folder.prepare();
    const config = loadConfig({ file: folder.configFile, env: terminal.env, cwd: terminal.cwd, overrides });
    const credential = await demoCredential(config);
    await run({ config, folder, firstStart, credential, terminal });
    return EXIT_OK;
  },
};

interface Run {
  readonly config: Config;
  readonly folder: QuickstartFolder;
  readonly firstStart: boolean;
  readonly credential: Credential;
  readonly terminal: Terminal;
}

interface Credential {
  readonly accessKeyId: string;
  readonly secret: Secret;
}

async function run({ config, folder, firstStart, credential, terminal }: Run): Promise<void> {
  const { stop } = terminal; // from here on, Ctrl-C stops the gateway and cleans up
  const log = openCommandLog(config, terminal);
  const gateway = await createGateway(config, { log });
  try {
    await gateway.start().catch((error: unknown) => {
      throw portProblem(error, 'Choose another: --port 8010, or --port 0 for a free one.');
    });
    const endpoint = new URL(gateway.endpoint);
    const sample = await showSample({ config, endpoint, credential, now: () => terminal.now() });
    const connection = {
      endpoint: endpoint.origin,
      region: config.region,
      accessKeyId: credential.accessKeyId,
      secretAccessKey: credential.secret.reveal(),
      bucket: BUCKET,
      storeDirectory: folder.storeDirectory,
      admin: gateway.adminEndpoint === undefined ? '' : new URL(gateway.adminEndpoint).origin,
    };
    folder.announce(connection);
    const { program } = terminal;
    const { path, configFile } = folder;
    await log.flush(); // so that the lines of the sample's requests come before the welcome
    terminal.print(welcomeText({ connection, sample, folder: path, firstStart, program, tenant: TENANT, configFile }));
    await stopped(stop);
    terminal.print('Stopping: requests in flight finish first.');
  } finally {
    folder.forgetConnection();
    await gateway.stop();
  }
}

function addressOverrides(port: string | undefined, adminPort: string | undefined): Record<string, string> {
  for (const [name, value] of [['--port', port] as const, ['--admin-port', adminPort] as const]) {
    if (value !== undefined && !(/^\d{1,5}$/.test(value) && Number(value) <= MAX_PORT)) {
      throw new UsageError(`${name} ${value} is no port: expected 0 to ${MAX_PORT}.`);
    }
  }
  const admin = adminPort ?? (port === undefined ? undefined : portBeside(Number(port)));
  return {
    ...(port === undefined ? {} : { listen: `127.0.0.1:${port}` }),
    ...(admin === undefined ? {} : { admin: `127.0.0.1:${admin}` }),
  };
}

/** Returns the next port, or 0 (any free port) if the port is 0 or the last one. */
function portBeside(port: number): number {
  return port === 0 || port === MAX_PORT ? 0 : port + 1;
}

/** Makes the tenant at the first start, and finds its access key at later ones. */
async function demoCredential(config: Config): Promise<Credential> {
  const stores = await openStores(config);
  try {
    const { administration, directory } = stores;
    const tenants = await administration.listTenants();
    if (!tenants.some(({ name }) => name === TENANT)) {
      return await administration.addTenant({ name: TENANT, buckets: [BUCKET, `${BUCKET}-*`] });
    }
    for (const { accessKeyId } of await administration.listCredentials(TENANT)) {
      const caller = await directory.caller(accessKeyId);
      if (caller !== undefined) return { accessKeyId, secret: caller.secret };
    }
    return await administration.addCredential(TENANT);
  } finally {
    await stores.close();
  }
}

/** Writes the sample through the gateway if it is not there, and reads it on both sides. */
async function showSample(at: {
  readonly config: Config;
  readonly endpoint: URL;
  readonly credential: Credential;
  readonly now: () => Date;
}): Promise<Sample> {
  const { config, endpoint, credential, now } = at;
  const ref = { bucket: BUCKET, key: SAMPLE_KEY };
  const { client, close } = openGatewayClient({ endpoint, region: config.region, ...credential, now });
  const backend = await openBackend(config);
  try {
    if (!(await client.hasBucket(BUCKET))) await client.createBucket(BUCKET);
    // The sample may be unreadable, for instance after `tenant remove demo --force`; then it is written again.
    const held = await client.head(ref).catch(() => undefined);
    if (held === undefined)
      await client.put(ref, Buffer.from(SAMPLE_TEXT), { content: { contentType: 'text/plain; charset=utf-8' } });
    const { bytes: plaintext } = await client.get(ref);
    const { bytes: stored } = await new ObjectClient(backend).get(ref);
    return { key: SAMPLE_KEY, plaintext, stored };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(`The sample object did not make it through the gateway; its log says more. ${why}`, {
      cause: error,
    });
  } finally {
    await close();
    await backend.close();
  }
}
