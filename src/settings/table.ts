import { z } from 'zod';
import {
  bytes,
  choice,
  countOrAuto,
  flag,
  hostPort,
  hostPortOrOff,
  integer,
  keyVariable,
  listOf,
  matching,
  network,
  originUrl,
  path,
  pathOrOff,
  pemFile,
  pemKeyFile,
  redisUrl,
  seconds,
  secret,
  setting,
  text,
  textOrFile,
} from './forms.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const region = matching(/^[A-Za-z0-9-]{1,64}$/, 'a region name, such as us-east-1');
const domain = matching(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'a domain in lower case, without port');

const reservedBucket = matching(/^[a-z0-9._-]{1,63}$/, 'a bucket name in lower case');

const backendTls = z.strictObject({
  ca: setting(pemFile, 'Certificates that vouch for the backend, instead of the system’s.').optional(),
  cert: setting(pemFile, 'Client certificate shown to the backend.').optional(),
  key: setting(pemKeyFile, 'Key of the client certificate.').optional(),
});

const backend = z.strictObject({
  endpoint: setting(originUrl, 'The S3-compatible store that holds the objects.').optional(),
  directory: setting(
    path,
    'Instead of an endpoint: a folder in which the embedded store keeps objects. For trying, not for production.',
  ).optional(),
  region: setting(region, 'Region that requests to the backend are signed for.').prefault('us-east-1'),
  credentials: z
    .strictObject({
      accessKeyId: setting(textOrFile, 'The gateway’s own access key at the backend.').optional(),
      secretAccessKey: setting(secret, 'Secret of that access key.').optional(),
    })
    .prefault({}),
  connections: setting(
    integer({ min: 1, max: 65_535 }),
    'Connections to the backend at most, each worker, for each of downloads, small uploads, large uploads and everything else. One tenant has four fifths of them at most; slow downloads give way to whoever waits.',
  ).prefault(256),
  connectSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for a connection.').prefault(5),
  headersSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'Longest wait for the head of an answer, once the request was sent.',
  ).prefault(60),
  idleSeconds: setting(seconds({ min: 0.1, max: 3600 }), 'Longest pause within an answer’s body.').prefault(60),
  keepAliveSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'How long an idle connection is kept. Shorter than the backend’s own, so that it never closes first.',
  ).prefault(4),
  retries: setting(
    integer({ min: 0, max: 10 }),
    'Further attempts, with jitter, for an idempotent request of whose body no byte was consumed.',
  ).prefault(2),
  conditionalDeletes: setting(
    flag(),
    'The backend holds to If-Match on deletions, as AWS S3 does; `check` tries it. MinIO does not, and deletes ' +
      'whatever lies there: without this, conditional deletions are refused.',
  ).prefault(false),
  conditionalUploads: setting(
    flag(),
    'The backend holds to If-Match and If-None-Match on PUT and CompleteMultipartUpload, as AWS S3 and MinIO do; `check` ' +
      'tries it. Ceph RGW 16 does not, and replaces what lies there: set to false, such uploads are refused, and so are ' +
      'conditional copies and conditional uploads of unknown length that turn out large.',
  ).prefault(true),
  careful: setting(
    flag(),
    'For a backend that keeps what came of an upload that broke off, in place of what lay there, or acknowledges a ' +
      'multipart upload that it did not complete (Versity S3 Gateway 1.8); `check` tries it. Uploads of more than ' +
      '128 KiB then reach it in pieces of 8 MiB, each whole, and what a client’s Complete made is looked at.',
  ).prefault(false),
  keys: setting(
    choice('paths', 'names'),
    'What keys are to the backend. paths: names of files, as with MinIO and Versity S3 Gateway; keys with . or .. or nothing ' +
      'between slashes are refused, since they would name other files, and /a and a are one object. names: kept as they ' +
      'are, as with AWS S3 and Ceph RGW; all keys pass, and /a and a are two objects.',
    { defaultText: 'paths; names for the embedded store' },
  ).prefault('paths'),
  reservedBuckets: setting(
    listOf(reservedBucket),
    'Buckets that the backend has for itself, such as its administration: no tenant reaches them, whatever its patterns.',
  ).prefault(['minio', 'rustfs', 'admin', 'swift']),
  tls: backendTls.prefault({}),
});

const keyStore = z.strictObject({
  redis: setting(
    redisUrl,
    'Redis that keeps tenants, credentials and wrapped keys. Sentinel: redis+sentinel://host,host/group, ' +
      'Cluster: redis+cluster://host,host; rediss… for TLS. A password with / @ # or % goes into keys.store.password.',
  ).optional(),
  file: setting(path, 'Instead of Redis: one file of the embedded key store. One machine only.').optional(),
  keyPrefix: setting(text(), 'Begins the name of every record in Redis.').prefault('sealgate:'),
  username: setting(text(), 'Redis ACL user; wins over the URL’s.').optional(),
  password: setting(secret, 'Password; wins over the URL’s.').optional(),
  sentinelUsername: setting(text(), 'User of the Sentinels themselves.').optional(),
  sentinelPassword: setting(secret, 'Password of the Sentinels themselves.').optional(),
  tls: z
    .strictObject({
      ca: setting(pemFile, 'Certificates that vouch for Redis, instead of the system’s.').optional(),
      cert: setting(pemFile, 'Client certificate shown to Redis.').optional(),
      key: setting(pemKeyFile, 'Key of the client certificate.').optional(),
      serverName: setting(
        text('a host name'),
        'Name that Redis’s certificate must bear, if not its host’s.',
      ).optional(),
    })
    .prefault({}),
  connectSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for a connection to Redis.').prefault(5),
  commandSeconds: setting(seconds({ min: 0.1, max: 600 }), 'Longest wait for an answer of Redis.').prefault(2),
  replicas: setting(
    integer({ min: 0, max: 16 }),
    'Replicas that must hold a write before it counts (WAIT). Not in a Cluster.',
  ).prefault(0),
});

const keys = z.strictObject({
  root: z
    .strictObject({
      file: setting(path, 'File that holds the root key: 32 bytes in base64.').optional(),
      env: setting(
        keyVariable,
        'Instead of a file: name of the environment variable that holds the root key, 32 bytes in base64.',
      ).optional(),
      openToAll: setting(
        flag(),
        'Start although everybody on the machine can read the root key’s file, where all of them are trusted.',
      ).prefault(false),
    })
    .prefault({}),
  tenant: setting(
    matching(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'a tenant’s name'),
    'For a sidecar that serves one tenant: keys.root is then not the root key but this tenant’s wrap key, as ' +
      '`sealgate tenant wrap-key` writes it, and nothing else of the key store is read.',
  ).optional(),
  store: keyStore.prefault({}),
  generationFile: setting(
    pathOrOff,
    'File of the gateway’s own that keeps the highest generation of the key store that was seen here: a store that was ' +
      'put back to an older state is then refused at the start. All processes of a machine share it. Must outlive restarts.',
    { defaultText: 'keys.root.file, or keys.store.file, with .generation; else off' },
  ).optional(),
  cache: z
    .strictObject({
      maxAgeSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'How long credentials, policies and keys are used from memory without asking the key store.',
      ).prefault(60),
      staleSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'While the key store is away: how old a cached entry may grow before requests are refused with 503.',
      ).prefault(300),
    })
    .prefault({}),
});

const limits = z.strictObject({
  headerBytes: setting(bytes({ min: 8 * KIB, max: MIB }), 'Head of a request at most.').prefault('32 KiB'),
  documentBytes: setting(
    bytes({ min: 64 * KIB, max: 64 * MIB }),
    'Has no effect, and is taken so that older configurations start: each operation has a limit of its own for its document (DeleteObjects 24 MiB, CompleteMultipartUpload 4 MiB, what is forwarded 1 MiB).',
  ).prefault('2 MiB'),
  memoryBytes: setting(
    bytes({ min: 16 * MIB, max: 64 * GIB }),
    'Bytes in flight at most, each worker; past it, and past a tenant’s part of it (four fifths), requests get 503 SlowDown.',
  ).prefault('256 MiB'),
  maxConnections: setting(
    integer({ min: 1, max: 1_000_000 }),
    'Client connections at most, each worker. The last sixteenth is for addresses that have few; past it those that idle make room.',
  ).prefault(4096),
  headerSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'Longest wait for the whole head of a request (slowloris).',
  ).prefault(20),
  idleSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'Longest pause of a client within a body, in either direction.',
  ).prefault(60),
  keepAliveSeconds: setting(
    seconds({ min: 0.1, max: 3600 }),
    'How long an idle client connection is kept. Longer than a load balancer’s own 60 s.',
  ).prefault(75),
  minUploadBytesPerSecond: setting(
    integer({ min: 0, max: GIB }),
    'A client that sends slower than this on average, while the gateway waits for it, is cut off. 0: never.',
  ).prefault(1024),
  shutdownSeconds: setting(
    seconds({ min: 0, max: 3600 }),
    'How long requests in flight may take to finish after SIGTERM or Ctrl-C.',
  ).prefault(30),
});

const bucketName = matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name in lower case');

const uploads = z.strictObject({
  keepSeconds: setting(
    seconds({ min: 60, max: 31_536_000 }),
    'How long a multipart upload that nobody adds to can be continued.',
  ).prefault(604_800),
  openPerTenant: setting(
    integer({ min: 1, max: 10_000_000 }),
    'Multipart uploads that one tenant may have open; past it CreateMultipartUpload is refused (QuotaExceeded). ' +
      'Their state lies in the key store: 0.3 KB each and 0.1 KB a part.',
  ).prefault(10_000),
  stagingBucket: setting(
    bucketName,
    'The gateway’s own bucket in the backend, for parts smaller than the backend takes. No client reaches it. Made when ' +
      'it is first needed. One for each key store: its name has part of the root key’s id in it, since all customers of ' +
      'AWS share the names of buckets.',
    { defaultText: 'sealgate-staging-, 16 digits' },
  ).optional(),
});

const etags = z.strictObject({
  keepSeconds: setting(
    seconds({ min: 60, max: 31_536_000 }),
    'In buckets with MD5 ETags: how long the index in Redis keeps the ETag of an object that nobody asks about.',
  ).prefault(2_592_000),
});

/** The schema of the whole configuration: the one source of names, forms, defaults and meanings. */
export const settingsSchema = z.strictObject({
  listen: setting(hostPort, 'Where clients connect. `:8000` means every address.').prefault('127.0.0.1:8000'),
  admin: setting(hostPortOrOff, 'Where /metrics, /healthz and /readyz are served. Keep it from clients.').prefault(
    '127.0.0.1:8001',
  ),
  workers: setting(countOrAuto({ min: 1, max: 1024 }), 'Worker processes.', {
    defaultText: 'auto: one per core',
  }).prefault('auto'),
  region: setting(region, 'The region that clients sign for, and that buckets are said to lie in.').prefault(
    'us-east-1',
  ),
  anyRegion: setting(
    flag(),
    'Take signatures for other regions too, as MinIO does while it has none of its own: for applications that are set ' +
      'to whatever region they once had.',
  ).prefault(false),
  domains: setting(
    listOf(domain),
    'Domains under which bucket.domain is a virtual-host request. Path style always works.',
  ).prefault([]),
  trustedProxies: setting(
    listOf(network),
    'Proxies and load balancers in front of the gateway, whose word on a client’s address and scheme is taken (for logs, ' +
      'fair shares and the URLs in answers). Whatever others say of themselves is not.',
  ).prefault([]),
  proxyHeaders: setting(
    choice('x-forwarded', 'forwarded'),
    'How these proxies say it: by X-Forwarded-For and X-Forwarded-Proto, or by Forwarded (RFC 7239). What they do not ' +
      'write themselves is a client’s own word, so the other is not read.',
  ).prefault('x-forwarded'),
  tls: z
    .strictObject({
      cert: setting(pemFile, 'Certificate chain for clients: makes `listen` speak TLS.').optional(),
      key: setting(pemKeyFile, 'Key of that certificate.').optional(),
    })
    .prefault({}),
  backend: backend.prefault({}),
  keys: keys.prefault({}),
  uploads: uploads.prefault({}),
  etags: etags.prefault({}),
  limits: limits.prefault({}),
  log: z
    .strictObject({
      level: setting(
        choice('trace', 'debug', 'info', 'warn', 'error', 'silent'),
        'Least level that is logged.',
      ).prefault('info'),
      format: setting(choice('json', 'text'), 'One JSON object a line, or text for people.').prefault('json'),
      keys: setting(
        choice('hashed', 'clear'),
        'How the keys of objects stand in the log: as a hash under a secret of the root key’s, the same in all gateways that have it ' +
          '(`sealgate log hash KEY` tells it), or as they are.',
      ).prefault('hashed'),
    })
    .prefault({}),
});

export type Settings = z.output<typeof settingsSchema>;
