import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { frontSettingsOf } from '../dialects/settings.ts';
import { FRONTS } from '../dialects/table.ts';
import type { KeySources } from '../encryption/key-sources.ts';
import type { EtagIndex } from '../etags/etag-index.ts';
import { restingIndex } from '../etags/resting-index.ts';
import { createHandler, type Handler } from '../pipeline/handle.ts';
import type { HandlerServices } from '../pipeline/handler-services.ts';
import { type AdminDependency, AdminServer } from '../server/admin/admin.ts';
import { Listener } from '../server/listener.ts';
import { createRequestIds } from '../server/request-ids.ts';
import { TrustedProxies } from '../server/trusted-proxies.ts';
import type { Config } from '../settings/config.ts';
import type { StoreFindings } from '../store/capabilities.ts';
import type { StoreFinder } from '../store/finding/store-finder.ts';
import { describeFinding } from '../store/finding/words.ts';
import { tellAvailability } from '../telemetry/availability.ts';
import { keyField } from '../telemetry/key-names.ts';
import { createLog, type Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { observedStates } from '../uploads/observed-states.ts';
import { StagingSweep } from '../uploads/staging-sweep.ts';
import type { UploadStates } from '../uploads/upload-states.ts';
import { ClientPorts, dialectPorts, listenerTls, listensOnLoopback, urlOf } from './client-ports.ts';
import { storeFinder, tellFinding } from './find-store.ts';
import { type Backend, openBackend } from './open-backend.ts';
import { type Observers, openEtags, openStores, openUploads, type Stores, stagingBucketOf } from './open-stores.ts';
import { composePipeline } from './pipeline-desk.ts';

/** Incomplete heads may take this fraction of the memory for bytes in flight: one eighth. */
const HEAD_PART = 8;

/** How long the start waits for the first look at the store, which mostly takes a tenth of a second. */
const FIRST_LOOK_MILLISECONDS = 2000;

export interface GatewayOptions {
  /** By default it is made from the configuration and writes to standard output. */
  readonly log?: Log | undefined;
  readonly metrics?: Metrics | undefined;
  /** Default true. A worker does not serve the admin port, because its primary serves it for all. */
  readonly admin?: boolean | undefined;
  /** What is known about the store already. By default the gateway finds it out itself. */
  readonly findings?: StoreFindings | undefined;
  /** Default true. Of several workers, only one logs what was found out about the store. */
  readonly tellsStore?: boolean | undefined;
}

/** What a pipeline works over, as it was opened. */
interface OpenParts {
  readonly metrics: Metrics;
  readonly stores: Stores;
  readonly uploads: UploadStates;
  readonly etagIndex: EtagIndex;
  readonly backend: Backend;
}

/** The gateway of one process. All its parts are made here by hand. */
export class Gateway {
  readonly metrics: Metrics;
  readonly handler: Handler;
  readonly #config: Config;
  readonly #log: Log;
  readonly #stores: Stores;
  readonly #uploads: UploadStates;
  readonly #etagIndex: EtagIndex;
  readonly #backend: Backend;
  readonly #keySources: KeySources;
  readonly #sweep: StagingSweep;
  readonly #finder: StoreFinder;
  readonly #given: StoreFindings | undefined;
  readonly #ports: ClientPorts;
  readonly #admin: AdminServer | undefined;

  constructor(
    parts: OpenParts & {
      readonly config: Config;
      readonly log: Log;
      readonly admin: boolean;
      readonly findings: StoreFindings | undefined;
      readonly tellsStore: boolean;
    },
  ) {
    const { config, log, metrics, stores, uploads, etagIndex, backend } = parts;
    this.#config = config;
    this.#log = log;
    this.metrics = metrics;
    this.#stores = stores;
    this.#uploads = uploads;
    this.#etagIndex = etagIndex;
    this.#backend = backend;
    this.#given = parts.findings;
    this.#finder = storeFinder({
      settings: config.backend,
      backend,
      stagingBucket: stagingBucketOf(config, stores),
      onFinding: (finding) => (parts.tellsStore ? tellFinding(finding, log) : undefined),
    });
    const findings = parts.findings ?? this.#finder;
    const services = composed(config, { stores, uploads, etagIndex, backend, findings, metrics });
    this.handler = createHandler(services);
    this.#keySources = services.tools.keySources;
    this.#sweep = new StagingSweep({
      staging: services.tools.staging,
      uploads,
      keepSeconds: config.uploads.keepSeconds,
      now: services.tools.now,
      random: Math.random,
      onSwept: (parts) => log.info(`removed ${parts} parts of uploads that nobody finished`),
      onFailure: (error) => log.warn(`parts of unfinished uploads could not be removed: ${error.message}`),
    });
    const only = (dialect: string) => services.fronts.filter(({ name }) => name === dialect);
    const handlers = {
      all: this.handler,
      of: (dialect: string) => createHandler({ ...services, fronts: only(dialect) }),
    };
    const newRequestId = createRequestIds(randomBytes);
    const tls = listenerTls(config);
    const proxies = new TrustedProxies(config.trustedProxies, config.proxyHeaders);
    const always = { tls, proxies, metrics, log, newRequestId };
    this.#ports = new ClientPorts(config, handlers, {
      headRoomBytes: Math.floor(config.limits.memoryBytes / HEAD_PART),
      onHeadBytes: (bytes) => services.memory.holdBeside(bytes),
      open: (own) =>
        new Listener({ ...always, ...own, limits: { ...config.limits, headRoomBytes: own.headRoomBytes } }),
    });
    metrics.watch({
      budget: services.memory,
      uploadQuota: services.tools.uploadQuota,
      backendWaiting: () => backend.connection.waiting + backend.lane.waiting,
      backendStore: () => this.#finder.finding.store.name,
      connections: () => this.#ports.connectionCount,
      requestsInFlight: () => this.#ports.requestsInFlight,
      keyCacheAgeSeconds: () => stores.records.cacheAgeSeconds(),
    });
    if (parts.admin && config.admin !== undefined) {
      this.#admin = new AdminServer({
        metrics: () => metrics.text(),
        contentType: metrics.contentType,
        dependencies: this.dependencies(),
      });
    }
  }

  /** The dependencies without which this gateway is not ready. */
  dependencies(): readonly AdminDependency[] {
    return [
      {
        name: 'backend',
        check: async () => {
          await this.#backend.connection.check();
          return describeFinding(this.#finder.finding);
        },
      },
      { name: 'key store', check: () => this.#stores.readiness() },
    ];
  }

  /** @throws Error with code EADDRINUSE, EACCES or another that says why it cannot listen */
  async start(): Promise<void> {
    await this.#findStore();
    await this.#ports.listen();
    if (this.#config.admin !== undefined) await this.#admin?.listen(this.#config.admin);
    this.#sweep.start();
    // Errors are ignored, because a record that cannot be loaded now is loaded when a request needs it.
    this.#stores.directory.warm().catch(() => undefined);
    this.#log.info(`listening on ${this.endpoint}`);
    for (const [dialect, url] of this.dialectEndpoints) this.#log.info(`listening on ${url} for ${dialect} alone`);
  }

  /** Waits a while for the first look at the store, so that few requests come before it. */
  async #findStore(): Promise<void> {
    if (this.#given !== undefined) return;
    const late = new AbortController();
    await Promise.race([this.#finder.start(), sleep(FIRST_LOOK_MILLISECONDS, undefined, late)]);
    late.abort();
  }

  /** The URL that clients use. */
  get endpoint(): string {
    return this.#ports.endpoint;
  }

  /** The URLs of the ports that speak one dialect alone, by the dialect's name. */
  get dialectEndpoints(): ReadonlyMap<string, string> {
    return this.#ports.dialectEndpoints;
  }

  get adminEndpoint(): string | undefined {
    return this.#admin && urlOf('http', this.#admin.address);
  }

  /** Takes over the one setting that can change while the gateway runs: the certificate. */
  reload(config: Pick<Config, 'tls'>): void {
    this.#ports.reload(config);
  }

  /** Logs a warning if the backend does not serve the gateway. It never rejects. */
  async tellBackend(): Promise<void> {
    try {
      await this.#backend.connection.check();
    } catch (error) {
      this.#log.warn('the backend does not serve the gateway', { dependency: 'backend' }, error);
    }
  }

  /** Stops the gateway. Requests in flight may finish, within the configured time. */
  async stop({ keepsPort = false }: { readonly keepsPort?: boolean } = {}): Promise<void> {
    this.#sweep.stop();
    this.#admin?.stopping();
    const finderStopped = this.#finder.stop();
    await this.#ports.close({ graceSeconds: this.#config.limits.shutdownSeconds, keepsPort });
    await this.#admin?.close();
    await finderStopped;
    await this.#backend.close();
    await this.#uploads.close();
    await this.#etagIndex.close();
    await this.#keySources.close();
    await this.#stores.close();
    await this.#log.flush();
  }
}

/** @throws SelfTestFailed, RootKeyInvalid, GatewayError KeyStoreUnavailable */
export async function createGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const plainLog = options.log ?? createLog({ ...config.log, destination: 1 });
  const metrics = options.metrics ?? new Metrics({ processMetrics: true });
  const observers: Observers = { backend: metrics, keys: metrics, onWarning: (message) => plainLog.warn(message) };
  tellAvailability(metrics, plainLog);
  const stores = await openStores(config, observers);
  const log = plainLog.with({ keyField: keyField(config.log.keys, stores.keyNamesSecret) });
  try {
    await stores.selfTest();
    const states = await openUploads(config.keys);
    const uploads = observedStates(states, metrics);
    let etagIndex: EtagIndex | undefined;
    try {
      etagIndex = restingIndex(await openEtags(config), metrics);
      const backend = await openBackend(config, observers);
      const { admin = true, findings, tellsStore = true } = options;
      const parts = { config, log, metrics, stores, uploads, etagIndex, backend };
      return new Gateway({ ...parts, admin, findings, tellsStore });
    } catch (error) {
      await uploads.close();
      await etagIndex?.close();
      throw error;
    }
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/** Opens a gateway without its listeners, for commands that do with objects what no client may ask. */
export async function openPipeline(
  config: Config,
  stores: Stores,
): Promise<{ readonly services: HandlerServices; readonly close: () => Promise<void> }> {
  const metrics = new Metrics({ processMetrics: false });
  const uploads = await openUploads(config.keys);
  const etagIndex = restingIndex(await openEtags(config), metrics);
  const backend = await openBackend(config);
  const stagingBucket = stagingBucketOf(config, stores);
  const findings = storeFinder({ settings: config.backend, backend, stagingBucket, onFinding: () => undefined });
  await findings.lookOnce();
  const services = composed(config, { stores, uploads, etagIndex, backend, findings, metrics });
  return {
    services,
    close: async () => {
      await services.tools.keySources.close();
      await backend.close();
      await etagIndex.close();
      await uploads.close();
    },
  };
}

function composed(config: Config, parts: OpenParts & { readonly findings: StoreFindings }): HandlerServices {
  const { stores, backend } = parts;
  return composePipeline({
    fronts: FRONTS,
    settings: frontSettingsOf(config),
    directory: stores.directory,
    keyRings: stores.keyRings,
    bucketDefaults: stores.bucketDefaults,
    customerKeys: config.customerKeys,
    encryption: config.encryption,
    ownPorts: dialectPorts(config).map(([dialect]) => dialect),
    keyTransport: { overHttp: config.customerKeys.overHttp, listensOnLoopback: listensOnLoopback(config) },
    backend: { ...backend, reservedBuckets: new Set(config.backend.reservedBuckets) },
    findings: parts.findings,
    uploads: parts.uploads,
    uploadLimits: config.uploads,
    stagingBucket: stagingBucketOf(config, stores),
    etagIndex: parts.etagIndex,
    etagKeepSeconds: config.etags.keepSeconds,
    etagObserver: parts.metrics,
    memoryBytes: config.limits.memoryBytes,
  });
}
