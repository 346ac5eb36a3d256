import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { createGateway, type Gateway } from '../../gateway/gateway.ts';
import { openBackend } from '../../gateway/open-backend.ts';
import { AdminServer } from '../../server/admin/admin.ts';
import type { RunningWorker, WorkerGroup } from '../../server/workers/group.ts';
import { runWorkers } from '../../server/workers/workers.ts';
import { certificateExpiry } from '../../settings/certificates.ts';
import type { Config } from '../../settings/config.ts';
import { METRICS_CONTENT_TYPE } from '../../telemetry/aggregate.ts';
import type { Log } from '../../telemetry/log.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, readArguments } from '../shell/command.ts';
import { openCommandLog } from '../shell/command-log.ts';
import { commandConfig } from '../shell/config-file.ts';
import { portProblem } from '../shell/port-problem.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { stopped } from '../shell/until-stopped.ts';
import { changedSettings } from './changed-settings.ts';

/**
 * A worker has `shutdownSeconds` for its requests and then this time to close its connections; after that it is killed.
 */
const STOP_MARGIN_SECONDS = 10;

/** This command runs in the primary and, because node:cluster starts the same command line again, in every worker. */
export const serveCommand: Command = {
  usage: `serve [options]

SIGHUP makes it take the certificate of tls.cert, its key and log.level anew from the configuration, and tell in the log
which other settings have changed and need a restart.

${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const { values } = readArguments(args, CONFIG_OPTION, { most: 0 });
    const config = commandConfig(values.config, terminal);
    const log = openCommandLog(config, terminal);
    const { stop } = terminal;
    let gateway: Gateway | undefined;
    let group: WorkerGroup | undefined;
    terminal.onReload(() => {
      reload(config, () => commandConfig(values.config, terminal), { log, gateway });
      group?.reload();
    });
    const release = await holdEmbeddedStore(config);
    try {
      group = await runWorkers({
        count: workerCount(config),
        startWorker: async ({ number }) => {
          gateway = await startGateway(config, log.with({ common: { worker: number } }), number === 1);
          if (number === 1) void gateway.tellBackend();
          return asWorker(gateway);
        },
        log,
        stopSeconds: config.limits.shutdownSeconds + STOP_MARGIN_SECONDS,
        stopSignal: stop,
      });
      // The group is undefined in a worker, which has served and now ends.
      if (group !== undefined) await serveGroup(group, { config, log, stop });
    } finally {
      await release();
      await log.flush();
    }
    return EXIT_OK;
  },
};

/** Returns how many workers to start: by default one for each core, but a single one for the embedded store. */
function workerCount({ workers, backend }: Config): number {
  if (workers !== 'auto') return workers;
  return backend.place.kind === 'directory' ? 1 : availableParallelism();
}

/**
 * Opens the embedded store in the primary if there are several workers, so that all use it and it outlives each of
 * them.
 */
async function holdEmbeddedStore(config: Config): Promise<() => Promise<void>> {
  const needed = cluster.isPrimary && config.backend.place.kind === 'directory' && workerCount(config) > 1;
  if (!needed) return async () => undefined;
  const backend = await openBackend(config);
  return () => backend.close();
}

/**
 * Takes over the settings that a running gateway can change. The others are named in the log, so that nobody believes
 * that they changed.
 */
function reload(
  old: Config,
  read: () => Config,
  { log, gateway }: { readonly log: Log; readonly gateway: Gateway | undefined },
): void {
  try {
    const config = read();
    log.setLevel(config.log.level);
    gateway?.reload(config);
    const changed = changedSettings(old, config);
    const more = changed.length === 0 ? '' : `; a restart is needed for: ${changed.join(', ')}`;
    log.info(`took the certificate and the level of the log from the configuration anew${more}`);
  } catch (error) {
    log.error('the configuration was not read anew, and the one before it stays', {}, error);
  }
}

/**
 * Warns about an expired certificate. It is not refused, because some clients do not check it, and the others report
 * it.
 */
function warnOfCertificate({ tls }: Config, log: Log): void {
  const expiry = tls.cert === undefined ? undefined : certificateExpiry(tls.cert, new Date());
  if (expiry !== undefined) log.warn(`the certificate of tls.cert ${expiry}`);
}

async function startGateway(config: Config, log: Log, tellsStore: boolean): Promise<Gateway> {
  warnOfCertificate(config, log);
  const gateway = await createGateway(config, { log, admin: false, tellsStore });
  try {
    await gateway.start();
  } catch (error) {
    await gateway.stop();
    throw portProblem(error, 'The settings listen and dialects.….listen say which addresses clients use.');
  }
  return gateway;
}

function asWorker(gateway: Gateway): RunningWorker {
  const { hostname, port } = new URL(gateway.endpoint);
  return {
    address: { address: hostname.replace(/^\[|\]$/g, ''), port: Number(port) },
    metrics: () => gateway.metrics.snapshot(),
    dependencies: gateway.dependencies(),
    stop: (how) => gateway.stop(how),
  };
}

/** Does what the primary does: it serves one admin port for all workers, until it is told to stop. */
async function serveGroup(
  group: WorkerGroup,
  { config, log, stop }: { readonly config: Config; readonly log: Log; readonly stop: AbortSignal },
): Promise<void> {
  const admin = new AdminServer({
    metrics: () => group.metrics(),
    contentType: METRICS_CONTENT_TYPE,
    dependencies: group.dependencies,
  });
  try {
    if (config.admin !== undefined) {
      await admin.listen(config.admin).catch((error: unknown) => {
        throw portProblem(error, 'The setting admin says where metrics and health are served.');
      });
    }
    await stopped(stop);
    admin.stopping();
  } finally {
    await group.stop();
    await admin.close();
    log.info('stopped');
  }
}
