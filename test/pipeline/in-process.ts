import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BackendConnection, type BackendOptions } from '../../src/backend/connection.ts';
import { PassThroughLane } from '../../src/backend/pass-through-lane.ts';
import type { Faults } from '../../src/devstore/faults.ts';
import type { StoredObjects } from '../../src/devstore/stored-objects.ts';
import type { BackendDialect } from '../../src/dialects/backend-dialect.ts';
import type { VerifiedBody } from '../../src/dialects/front-dialect.ts';
import type { KeySourceTable } from '../../src/encryption/sources/table.ts';
import { GatewayError } from '../../src/errors.ts';
import type { EtagIndex } from '../../src/etags/etag-index.ts';
import { openFileIndex } from '../../src/etags/file-index.ts';
import type { EtagSource } from '../../src/etags/known-etags.ts';
import { restingIndex } from '../../src/etags/resting-index.ts';
import { Protections } from '../../src/formats/protection.ts';
import type { Sx1Format, Sx1Memory } from '../../src/formats/sx1/format.ts';
import { FORMATS, type FormatTable, protectionWords } from '../../src/formats/table.ts';
import type { Backend } from '../../src/gateway/open-backend.ts';
import { composePipeline, openEtags } from '../../src/gateway/pipeline-desk.ts';
import type { KeyRings } from '../../src/keys/key-rings.ts';
import type { Records } from '../../src/keys/records.ts';
import type { ObjectContent } from '../../src/operations/answer.ts';
import type { AskedEncryption } from '../../src/operations/encryption.ts';
import type { ListObjects } from '../../src/operations/listing.ts';
import type { CopyObject, GetObject, HeadObject, PutObject } from '../../src/operations/operation.ts';
import { authorize } from '../../src/pipeline/admission/authorize.ts';
import type { OperationContext, OperationTools } from '../../src/pipeline/context.ts';
import type { HandlerServices } from '../../src/pipeline/handler-services.ts';
import { RequestTrace } from '../../src/pipeline/trace.ts';
import { ALL_CAPABILITIES, type Capabilities, type StoreFindings } from '../../src/store/capabilities.ts';
import { type BucketPolicy, bucketPolicy } from '../../src/tenants/bucket-policy.ts';
import { tenantKind } from '../../src/tenants/tenant.ts';
import { openFileStates } from '../../src/uploads/file-states.ts';
import type { ByteSource, WireRequest } from '../../src/wire/message.ts';
import { BUCKET, startDevstore } from '../devstore/started.ts';
import { temporaryDirectory } from '../keys/fixture.ts';
import { backendOptions } from '../support/backend-options.ts';
import type { LyingProxy } from '../support/proxies/lying-proxy.ts';
import { openTenancy } from '../tenants/fixture.ts';

export { BUCKET };

/** The pipeline over an embedded store in this process: no listener, no signatures. */
export interface InProcess {
  readonly handling: HandlerServices;
  readonly tools: OperationTools;
  /** What is remembered of sealed objects. */
  readonly memory: Sx1Memory;
  readonly keyRings: KeyRings;
  readonly records: Records;
  readonly back: BackendDialect;
  readonly connection: BackendConnection;
  readonly faults: Faults;
  /** What lies in the store, past HTTP. */
  readonly stored: StoredObjects;
  /** `METHOD /path` of every request that reached the store, since the last call. */
  readonly asked: () => string[];
  /** Where ETags were found since the last call. */
  readonly etagsFound: () => EtagSource[];
  /** Tools of a process that remembers nothing, over the same stores; the index of ETags may have been lost. */
  readonly anotherProcess: (over: { readonly emptyIndex: boolean }) => Promise<OperationTools>;
  /** What an operation gets of a request of the tenant's. */
  readonly context: (policy?: Partial<BucketPolicy>) => OperationContext;
  /** The same, under the policy that the tenant's own record has for a bucket. */
  readonly at: (bucket: string, encryption?: AskedEncryption) => OperationContext;
  /** The same, under another policy for this bucket. */
  readonly under: (bucket: string, policy: Partial<BucketPolicy>) => OperationContext;
}

export async function inProcess(
  over: {
    readonly backend?: Partial<BackendOptions>;
    readonly budgetBytes?: number;
    readonly openUploads?: number;
    /** The setting `customerKeys.newBuckets`. Default: allow. */
    readonly newBuckets?: 'allow' | 'block';
    readonly etagIndex?: 'fails';
    /** Default: the product's own. */
    readonly keySources?: KeySourceTable;
    /** The section `encryption`, as its rows read it. */
    readonly encryption?: Readonly<Record<string, unknown>>;
    /** Stands between the gateway and the store. */
    readonly proxy?: Pick<LyingProxy, 'endpoint' | 'port'>;
    /** Stands between the gateway and its connections, within this process. */
    readonly through?: (connection: BackendConnection) => BackendConnection;
    /** Another store than the embedded one, opened as a gateway opens it. It has the buckets already. */
    readonly opened?: Backend;
    /** What is known of the store. Default: it does all that S3 does. */
    readonly findings?: (backend: Pick<Backend, 'back' | 'connection'>) => StoreFindings;
    /** The tenant's, beside BUCKET; each is made in the store. */
    readonly buckets?: readonly (Partial<BucketPolicy> & { readonly pattern: string })[];
    /** The product's own formats, with others that only the test knows. Default: the product's own. */
    readonly formats?: FormatTable & typeof FORMATS;
  } = {},
): Promise<InProcess> {
  const requests: string[] = [];
  const started = await startDevstore({
    authorize: (request) => {
      requests.push(`${request.method} ${request.target.raw}`);
      return { accessKeyId: 'anybody' };
    },
  });
  onTestFinished(() => started.stop());
  const { formats = FORMATS } = over;
  const words = protectionWords(formats);
  const tenancy = await openTenancy({ tenants: tenantKind(words) });
  const { buckets = [] } = over;
  const { tenant } = await tenancy.administration.addTenant({ name: 'acme', buckets: [BUCKET, ...buckets] });
  for (const { pattern } of buckets) await started.makeBucket(pattern);
  if (over.proxy !== undefined) over.proxy.port = Number(new URL(started.url).port);
  const opened = over.opened ?? backendAt(over.proxy?.endpoint ?? started.url, over.backend);
  const { back, lane } = opened;
  const connection = over.through?.(opened.connection) ?? opened.connection;
  const uploads = await openFileStates({ directory: await temporaryDirectory(), now: () => new Date() });
  const etagIndex = await newIndex(over.etagIndex === 'fails');
  const etagsFound: EtagSource[] = [];
  const findings = over.findings?.({ back, connection }) ?? { capabilities: ALL_CAPABILITIES, pending: [] };
  const protections = new Protections<FormatTable>(formats);
  const etagParts = {
    keyRings: tenancy.keyRings,
    etagKeepSeconds: 3600,
    etagObserver: {
      etagsFound: (source: EtagSource, count: number) => etagsFound.push(...Array<EtagSource>(count).fill(source)),
    },
  };
  const handling = composePipeline({
    ...etagParts,
    fronts: [],
    settings: { region: 'us-east-1', domains: [] },
    directory: tenancy.directory,
    keySources: over.keySources,
    encryption: over.encryption ?? {},
    bucketDefaults: tenancy.bucketDefaults,
    customerKeys: { newBuckets: over.newBuckets ?? 'allow' },
    backend: { back, connection, lane, reservedBuckets: new Set<string>() },
    findings,
    uploads,
    uploadLimits: { openPerTenant: over.openUploads ?? 1000, keepSeconds: 3600 },
    stagingBucket: 'staging',
    etagIndex,
    memoryBytes: over.budgetBytes ?? 256 * 1024 * 1024,
    protections,
  });
  const { tools } = handling;
  requests.length = 0;
  const client = { address: '127.0.0.1', secure: false };
  const asker = () => ({ tenant, client, signal: new AbortController().signal, trace: new RequestTrace() });
  return {
    handling,
    tools,
    memory: (protections.formats.sx1 as Sx1Format).memory,
    keyRings: tenancy.keyRings,
    records: tenancy.records,
    back,
    connection,
    faults: started.devstore.faults,
    stored: started.devstore.stored,
    asked: () => requests.splice(0),
    etagsFound: () => etagsFound.splice(0),
    anotherProcess: async ({ emptyIndex }) => {
      const anew = new Protections(formats);
      const etags = openEtags({ ...etagParts, etagIndex: emptyIndex ? emptyEtagIndex() : etagIndex });
      return { ...tools, formatsFor: (policy) => anew.formatsFor(policy), etags };
    },
    context: (over = {}) => {
      const policy = bucketPolicy({ pattern: BUCKET, ...over }, words);
      const keys = tools.keySources.open({ tenant, policy, asked: undefined });
      return { ...tools, ...asker(), policy, keys, formats: tools.formatsFor(policy) };
    },
    under: (bucket, policy) => {
      const other = { ...tenant, buckets: [bucketPolicy({ ...policy, pattern: bucket }, words)] };
      return authorize(bucket, { ...asker(), tenant: other }, tools);
    },
    at: (bucket, encryption) => authorize(bucket, { ...asker(), encryption }, tools),
  };
}

function backendAt(endpoint: string, over: Partial<BackendOptions> | undefined): Omit<Backend, 'close'> {
  const options = backendOptions(endpoint, over);
  const connection = new BackendConnection(options);
  const lane = new PassThroughLane(options);
  onTestFinished(async () => {
    lane.close();
    await connection.destroy();
  });
  return { back: options.dialect, connection, lane };
}

/** The same request in a process that remembers nothing of any object. */
export function elsewhere(context: OperationContext): OperationContext {
  return { ...context, formats: new Protections(FORMATS).formatsFor(context.policy) };
}

/** What an operation knows of a store that does all that S3 does, but for this. */
export function lacking(lacks: Partial<Capabilities>): { readonly findings: StoreFindings } {
  return { findings: { capabilities: { ...ALL_CAPABILITIES, ...lacks }, pending: [] } };
}

/** Versity S3 Gateway: it keeps what broke off, and acknowledges a Complete that made nothing. */
export const KEEPS_TORN = lacking({ tornUploadsVanish: false, truthfulCompletes: false, atomicCompletes: false });
/** Ceph RGW 16: it ignores conditions on Complete, and finds that no ETag matches. */
export const IGNORES_CONDITIONS = lacking({ conditionalCompletes: false, matchesOwnEtag: false });

/** In memory: a process that remembers nothing is made for each of thousands of requests. */
function emptyEtagIndex(): EtagIndex {
  const entries = new Map<string, Buffer>();
  return {
    read: async (names) => names.map((name) => entries.get(name.toString('hex'))),
    async write(added) {
      for (const { name, entry } of added) entries.set(name.toString('hex'), entry);
    },
    close: async () => undefined,
  };
}

async function newIndex(fails: boolean): Promise<EtagIndex> {
  // A folder where the file should be cannot be opened as one.
  const folder = await temporaryDirectory();
  const index = openFileIndex(fails ? folder : join(folder, 'etags'));
  onTestFinished(() => index.close());
  return restingIndex(index, { indexFailed: () => undefined });
}

/** A client's body. `refusal` is what its verification says behind the last byte, `late` comes before that: a trailer. */
export function verifiedBody(
  bytes: Buffer,
  options: {
    readonly declared?: boolean;
    readonly pieceBytes?: number;
    readonly refusal?: GatewayError;
    readonly late?: () => Promise<void>;
  } = {},
): VerifiedBody {
  const { declared = true, pieceBytes = 60_000, refusal, late } = options;
  return {
    plaintextBytes: declared ? bytes.length : undefined,
    async *bytes() {
      // As the listener does, the same memory comes again and again.
      const reused = Buffer.alloc(pieceBytes);
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const length = bytes.copy(reused, 0, at, Math.min(bytes.length, at + pieceBytes));
        yield reused.subarray(0, length);
        reused.fill(0xee);
      }
      await late?.();
      if (refusal !== undefined) throw refusal;
    },
    proof: () => ({ checksum: undefined, md5: undefined }),
  };
}

export function putOf(key: string, over: Partial<PutObject> = {}): PutObject {
  return {
    kind: 'PutObject',
    ref: { bucket: BUCKET, key },
    metadata: { content: {}, user: [] },
    conditions: {},
    ...over,
  };
}

export function getOf(key: string, over: Partial<GetObject> = {}): GetObject {
  return {
    kind: 'GetObject',
    ref: { bucket: BUCKET, key },
    range: undefined,
    ifRange: undefined,
    conditions: {},
    overrides: {},
    wantsChecksum: false,
    ...over,
  };
}

export function headOf(key: string, over: Partial<HeadObject> = {}): HeadObject {
  return { ...getOf(key), ...over, kind: 'HeadObject' };
}

/** From `<bucket>/<key>`; the destination is in BUCKET unless it says otherwise. */
export function copyOf(source: string, key: string, over: Partial<CopyObject> = {}): CopyObject {
  const slash = source.indexOf('/');
  return {
    kind: 'CopyObject',
    ref: { bucket: BUCKET, key },
    source: { ref: { bucket: source.slice(0, slash), key: source.slice(slash + 1) }, conditions: {} },
    replacement: undefined,
    tags: 'copy',
    checksumAlgorithm: undefined,
    conditions: {},
    ...over,
  };
}

export function listOf(over: Partial<ListObjects> = {}): ListObjects {
  return {
    kind: 'ListObjects',
    bucket: BUCKET,
    form: 2,
    prefix: '',
    delimiter: '',
    after: '',
    continuationToken: undefined,
    maxKeys: 1000,
    urlEncoded: false,
    withOwner: false,
    ...over,
  };
}

export async function bodyOf(content: ObjectContent): Promise<Buffer> {
  const { body } = content;
  if (body === undefined || Buffer.isBuffer(body)) return body ?? Buffer.alloc(0);
  const pieces: Buffer[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

export async function letGo(content: ObjectContent): Promise<void> {
  await (content.body as ByteSource)[Symbol.asyncIterator]().return?.();
}

/** The code that a GatewayError has, or what else happened. */
export async function refusalOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof GatewayError ? error.code : `not a GatewayError: ${error}`;
  }
}

export function isObject(key: string, query = ''): (request: WireRequest) => boolean {
  return ({ target }) => target.raw === `/${BUCKET}/${key}${query}`;
}
