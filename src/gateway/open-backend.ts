import { randomBytes } from 'node:crypto';
import type { BackendConfig } from '../backend/config.ts';
import { BackendConnection, type BackendObserver, type BackendOptions } from '../backend/connection.ts';
import { PassThroughLane } from '../backend/pass-through-lane.ts';
import type { BackendDialect } from '../dialects/backend-dialect.ts';
import { BACKENDS, type BackendTable, backendDialect } from '../dialects/table.ts';
import type { Config } from '../settings/config.ts';
import { type EmbeddedStore, openEmbeddedStore } from './embedded-store.ts';
import type { Observers } from './open-stores.ts';

/** The backend's dialect and its connections, and the embedded store if that is the backend. */
export interface Backend {
  readonly back: BackendDialect;
  readonly connection: BackendConnection;
  readonly lane: PassThroughLane;
  close(): Promise<void>;
}

/** What a backend is opened with, beside its settings. */
export interface BackendParts extends Pick<BackendOptions, 'lookup'> {
  /** The dialects that the settings may name; by default the product's own. */
  readonly dialects?: BackendTable | undefined;
}

/** Opens the backend that the settings describe, for gateways and for commands. */
export async function openBackend(
  config: Pick<Config, 'backend'>,
  observers: Observers = {},
  { dialects = BACKENDS, lookup }: BackendParts = {},
): Promise<Backend> {
  const { place } = config.backend;
  const dialect = backendDialect(config.backend.dialect, dialects);
  const embedded = place.kind === 'directory' ? await openEmbeddedStore(place.directory, randomBytes) : undefined;
  const options = { ...backendOptions(config.backend, embedded, observers.backend), dialect, lookup };
  const connection = new BackendConnection(options);
  const lane = new PassThroughLane(options);
  return {
    back: options.dialect,
    connection,
    lane,
    async close() {
      lane.close();
      await connection.close();
      await embedded?.close();
    },
  };
}

function backendOptions(
  config: BackendConfig,
  embedded: EmbeddedStore | undefined,
  observer: BackendObserver | undefined,
): Omit<BackendOptions, 'dialect' | 'lookup'> {
  const at = addressOf(config, embedded);
  const { ca, cert, key } = config.tls;
  return {
    endpoint: at.endpoint,
    credentials: { accessKeyId: at.accessKeyId, secret: at.secret, region: config.region },
    connections: config.connections,
    connectTimeoutSeconds: config.connectSeconds,
    headersTimeoutSeconds: config.headersSeconds,
    bodyTimeoutSeconds: config.idleSeconds,
    keepAliveSeconds: config.keepAliveSeconds,
    retries: config.retries,
    ...(at.endpoint.protocol === 'https:' && { tls: { ca, cert, key: key?.reveal() } }),
    observer,
    now: () => new Date(),
    random: Math.random,
  };
}

function addressOf({ place }: BackendConfig, embedded: EmbeddedStore | undefined): EmbeddedStore['address'] {
  if (place.kind === 'endpoint') {
    return { endpoint: place.endpoint, accessKeyId: place.accessKeyId, secret: place.secretAccessKey };
  }
  if (embedded === undefined) throw new Error('The embedded store was not opened.');
  return embedded.address;
}
