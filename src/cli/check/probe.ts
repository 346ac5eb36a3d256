import { randomBytes } from 'node:crypto';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../envelope/envelope.ts';
import { SEGMENT_BYTES } from '../../envelope/sizes.ts';
import { Protections } from '../../formats/protection.ts';
import { FORMATS } from '../../formats/table.ts';
import { createGateway } from '../../gateway/gateway.ts';
import type { Backend } from '../../gateway/open-backend.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { Config } from '../../settings/config.ts';
import type { Finding } from '../../store/finding/store-finder.ts';
import { openGatewayClient } from '../shell/gateway-client.ts';
import { ObjectClient } from '../shell/object-client.ts';
import type { Stores } from '../shell/with-stores.ts';
import { type Caller, findOwner } from './probe-caller.ts';
import { probeInjected } from './probe-injected.ts';
import { lostMetadata } from './probe-metadata.ts';
import { probeStore } from './probe-store.ts';

/** What the probe showed. */
export interface ProbeResult {
  readonly outcome: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What it is about, where that is not the probe itself. */
  readonly name?: string;
  readonly hint?: string | undefined;
}

/** The size of the probe. It makes two segments, so that a mistake at their border would show. */
const PROBE_BYTES = SEGMENT_BYTES + 1000;

/**
 * Sends an object through a real gateway with this configuration, on a port of its own, and looks at what the backend
 * received. It leaves nothing behind: bucket, tenant, access key and object are removed again.
 */
export async function probeAtRest(parts: {
  readonly config: Config;
  readonly stores: Stores;
  readonly backend: Backend;
  /** An existing bucket to use; without one, a bucket is made. */
  readonly bucket: string | undefined;
  readonly now: () => Date;
  /** Is called with what the store does, before anything goes through the gateway. */
  readonly onStore: (finding: Finding) => void;
}): Promise<readonly ProbeResult[]> {
  const { config, stores, now } = parts;
  const backend = new ObjectClient(parts.backend);
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
    const probed = await probeStore(config.backend, parts.backend, { bucket: ref.bucket, now });
    parts.onStore(probed.finding);
    const encrypted = await probeInjected(stores, parts.backend, ref.bucket);
    const findings = { capabilities: probed.finding.capabilities, pending: [] };
    const gateway = await createGateway(onLoopback(config), { findings });
    undo.unshift(() => gateway.stop());
    await gateway.start();
    const endpoint = new URL(gateway.endpoint);
    const { client, close } = openGatewayClient({ endpoint, region: config.region, ...caller, now });
    undo.unshift(close);
    undo.unshift(() => backend.delete(ref));
    const compared = await compare({ client, backend, ref, caller });
    const contradictions = probed.contradictions.map(failed);
    if (compared.outcome === 'failed') return [...encrypted, ...contradictions, compared];
    if (contradictions.length > 0) return [...encrypted, ...contradictions];
    // What is not sealed has the metadata that the store keeps.
    const sealed = !new Protections(FORMATS).formatsFor(caller.policy).write.asSent;
    const lost = compared.outcome === 'ok' && sealed ? await lostMetadata(client, ref) : undefined;
    return [...encrypted, lost === undefined ? compared : failed(lost)];
  } finally {
    // Each step is undone by itself, so that one which cannot be undone does not keep the others.
    for (const step of undo) await step().catch(() => undefined);
  }
}

/** Returns the same configuration, with which nobody else can reach the gateway. */
function onLoopback(config: Config): Config {
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
  const readBack = (await client.get(ref)).bytes;
  if (!readBack.equals(plaintext)) return failed('the probe object came back with other bytes');
  const { policy } = caller;
  const { write } = new Protections(FORMATS).formatsFor(policy);
  if (write.encrypter !== undefined) {
    const detail = `the policy for ${ref.bucket} leaves it to the backend to encrypt (protection ${policy.protection})`;
    return { outcome: 'ok', detail: `${detail}, which says that it did; the probe read back equal` };
  }
  const { object, bytes: stored } = await backend.get(ref);
  if (write.asSent) {
    const detail = `the policy for ${ref.bucket} is protection ${policy.protection}: objects lie in plaintext`;
    return { outcome: 'warning', detail };
  }
  if (!write.isMarked(object.metadata)) return failed('the stored probe has no envelope: it was not sealed');
  if (stored.includes(line.trimEnd())) return failed('the stored probe contains its plaintext');
  const expectedBytes = write.storedBytes(PROBE_BYTES, policy);
  if (stored.length !== expectedBytes) {
    return failed(`the stored probe has ${stored.length} bytes, not the ${expectedBytes} of a sealed one`);
  }
  const sizes = `${PROBE_BYTES} bytes lie as ${stored.length} bytes of ciphertext`;
  const detail = `${sizes}${underWhichKey(object.metadata)}, and read back equal; metadata of awkward forms did too`;
  return { outcome: 'ok', detail };
}

/** Tells the key of an SX1 envelope; other formats name theirs in other ways. */
function underWhichKey({ user }: ObjectMetadata): string {
  const entry = user.find(([name]) => name === ENVELOPE_ENTRY)?.[1];
  if (entry === undefined) return '';
  const { keyRingId, kekVersion } = readEnvelopeHead(decodeEnvelope(entry));
  return `, key ring ${keyRingId} version ${kekVersion}`;
}

function failed(detail: string): ProbeResult {
  return { outcome: 'failed', detail };
}
