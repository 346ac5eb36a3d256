import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../envelope/envelope.ts';
import { SEGMENT_BYTES, sealedBytes } from '../../envelope/sizes.ts';
import { GatewayError } from '../../errors.ts';
import { createGateway } from '../../gateway/gateway.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { Config } from '../../settings/config.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { openGatewayClient } from '../shell/gateway-client.ts';
import type { ObjectClient } from '../shell/object-client.ts';
import type { Stores } from '../shell/with-stores.ts';
import { type Caller, findOwner } from './probe-caller.ts';
import { lostMetadata } from './probe-metadata.ts';

export interface ProbeResult {
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

/** Two segments, so that a mistake at their border would show. */
const PROBE_BYTES = SEGMENT_BYTES + 1000;

/** More than sockets and servers hold by themselves. */
const TORN_BYTES = 4 * 1024 * 1024;
/** So long a store may take to notice that nothing more comes. */
const TORN_SECONDS = 1;

/**
 * Sends an object through a real gateway of this configuration, on a port of its own, and looks at what the backend
 * got. Leaves nothing behind: bucket, tenant, access key and object go again.
 */
export async function probeAtRest(parts: {
  readonly config: Config;
  readonly stores: Stores;
  readonly backend: ObjectClient;
  /** An existing bucket to use; without it one is made. */
  readonly bucket: string | undefined;
  readonly now: () => Date;
}): Promise<ProbeResult> {
  const { config, stores, backend, now } = parts;
  const mark = randomBytes(6).toString('hex');
  const ref = { bucket: parts.bucket ?? `sealgate-check-${mark}`, key: `sealgate-check-${mark}` };
  const undo: (() => Promise<unknown>)[] = [];
  try {
    if (parts.bucket === undefined) {
      await backend.createBucket(ref.bucket);
      undo.unshift(() => backend.deleteBucket(ref.bucket));
    }
    const caller = await findOwner(stores, { bucket: ref.bucket, mark });
    undo.unshift(caller.release);
    const gateway = await createGateway(privately(config), {});
    undo.unshift(() => gateway.stop());
    await gateway.start();
    const endpoint = new URL(gateway.endpoint);
    const { client, close } = openGatewayClient({ endpoint, region: config.region, ...caller, now });
    undo.unshift(close);
    undo.unshift(() => backend.delete(ref));
    const compared = await compare({ client, backend, ref, caller });
    if (compared.outcome !== 'failed' && !config.backend.careful && !(await survives(backend, ref))) return replaced();
    if (config.backend.keys === 'names' && (await foldsKeys(backend, ref))) return folds();
    const uploads = config.backend.conditionalUploads && compared.outcome !== 'failed';
    if (uploads && !(await holdsOnComplete(backend, ref))) return uploadsReplace();
    if (uploads && !(await holdsOnPut(backend, ref))) return putsReplace();
    if (compared.outcome === 'ok') {
      const lost = await lostMetadata(client, ref);
      if (lost !== undefined) return failed(lost);
    }
    const conditional = config.backend.conditionalDeletes && compared.outcome === 'ok';
    return conditional && !(await readsConditions(backend, ref)) ? conditionsIgnored() : compared;
  } finally {
    // Each on its own: what cannot be taken back must not keep the rest.
    for (const step of undo) await step().catch(() => undefined);
  }
}

/** The same gateway, reachable by nobody else. */
function privately(config: Config): Config {
  return {
    ...config,
    listen: { host: '127.0.0.1', port: 0 },
    admin: undefined,
    workers: 1,
    tls: {},
    log: { ...config.log, level: 'silent' },
  };
}

async function compare(at: {
  readonly client: ObjectClient;
  readonly backend: ObjectClient;
  readonly ref: ObjectRef;
  readonly caller: Caller;
}): Promise<ProbeResult> {
  const { client, backend, ref, caller } = at;
  const line = `Sealgate probe ${ref.key}: nobody may read this at rest.\n`;
  const plaintext = Buffer.alloc(PROBE_BYTES, line);
  await client.put(ref, plaintext, { content: { contentType: 'text/plain' } });
  const { object, bytes: stored } = await backend.get(ref);
  const readBack = (await client.get(ref)).bytes;
  if (!readBack.equals(plaintext)) return failed('the probe object came back with other bytes');
  if (caller.policy.protection === 'none') {
    return { outcome: 'warning', detail: `the policy for ${ref.bucket} is protection none: objects lie in plaintext` };
  }
  const entry = object.metadata.user.find(([name]) => name === ENVELOPE_ENTRY)?.[1];
  if (entry === undefined) return failed('the stored probe has no envelope: it was not sealed');
  if (stored.includes(line.trimEnd())) return failed('the stored probe contains its plaintext');
  return describe(stored, entry, caller.policy);
}

/** Whether what lies in the backend is still there after an upload to its place broke off. */
async function survives(backend: ObjectClient, ref: ObjectRef): Promise<boolean> {
  const before = await backend.head(ref);
  await backend.putTorn(ref, Buffer.alloc(TORN_BYTES));
  const deadline = Date.now() + TORN_SECONDS * 1000;
  while (Date.now() < deadline) {
    if ((await backend.head(ref))?.etag !== before?.etag) return false;
    await sleep(TORN_SECONDS * 100);
  }
  return true;
}

/** Whether the backend refuses to complete an upload whose place must be free and is not. */
async function holdsOnComplete(backend: ObjectClient, ref: ObjectRef): Promise<boolean> {
  return backend.putInParts(ref, Buffer.alloc(1), { ifNoneMatch: '*' }).then(
    () => false,
    (error: unknown) => error instanceof GatewayError && error.code === 'PreconditionFailed',
  );
}

/** Whether the backend refuses to replace an object that a PUT names by another ETag, as self-copies do. */
async function holdsOnPut(backend: ObjectClient, ref: ObjectRef): Promise<boolean> {
  return backend.put(ref, Buffer.alloc(1), { conditions: { ifMatch: '"another"' } }).then(
    () => false,
    (error: unknown) => error instanceof GatewayError && error.code === 'PreconditionFailed',
  );
}

/** Whether a key is the same object with a slash before it, as in a store that makes paths of keys. */
async function foldsKeys(backend: ObjectClient, { bucket, key }: ObjectRef): Promise<boolean> {
  return (await backend.head({ bucket, key: `/${key}` })) !== undefined;
}

function folds(): ProbeResult {
  return failed(
    'backend.keys is names, but the backend makes paths of keys: /a and a are one object, and keys with .. may lead to ' +
      'other tenants’ buckets. Set backend.keys to paths',
  );
}

function uploadsReplace(): ProbeResult {
  return failed(
    'the backend completed a multipart upload although If-None-Match said that nothing may be replaced: ' +
      'set backend.conditionalUploads to false, and what needs them is refused',
  );
}

function putsReplace(): ProbeResult {
  return failed(
    'the backend replaced an object although If-Match named another ETag: a change of metadata could undo a write that ' +
      'comes at the same time. Set backend.conditionalUploads to false',
  );
}

function replaced(): ProbeResult {
  return failed(
    'the backend took an upload that broke off for a whole one, and lost the object that lay there: set backend.careful',
  );
}

/** Whether the backend keeps an object that a deletion names by another ETag. */
async function readsConditions(backend: ObjectClient, ref: ObjectRef): Promise<boolean> {
  return backend.delete(ref, { ifMatch: '"another"' }).then(
    () => false,
    (error: unknown) => error instanceof GatewayError && error.code === 'PreconditionFailed',
  );
}

function conditionsIgnored(): ProbeResult {
  return failed(
    'backend.conditionalDeletes is set, but the backend deleted the probe although If-Match named another ETag: ' +
      'applications would lose what they mean to keep',
  );
}

function describe(stored: Buffer, entry: string, policy: BucketPolicy): ProbeResult {
  const expectedBytes = sealedBytes(PROBE_BYTES, policy.quantum);
  if (stored.length !== expectedBytes) {
    return failed(`the stored probe has ${stored.length} bytes, not the ${expectedBytes} of a sealed one`);
  }
  const { keyRingId, kekVersion } = readEnvelopeHead(decodeEnvelope(entry));
  const sizes = `${PROBE_BYTES} bytes lie as ${stored.length} bytes of ciphertext`;
  return {
    outcome: 'ok',
    detail: `${sizes}, key ring ${keyRingId} version ${kekVersion}, and read back equal; metadata of awkward forms did too`,
  };
}

function failed(detail: string): ProbeResult {
  return { outcome: 'failed', detail };
}
