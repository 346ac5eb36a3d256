/** What SX1 costs without a network: `node bench/envelope.ts`. Chunks of 64 KiB, as sockets give them. */
import { createSecretKey, randomBytes } from 'node:crypto';
import { canonicalMetadata } from '../src/envelope/claims.ts';
import { decodeEnvelope, encodeEnvelope, openEnvelope, sealEnvelope } from '../src/envelope/envelope.ts';
import { Layout } from '../src/envelope/layout.ts';
import { ObjectKeys } from '../src/envelope/object-keys.ts';
import { openSlices, sealObject } from '../src/envelope/streams.ts';

const CHUNK_BYTES = 65_536;
const kek = createSecretKey(randomBytes(32));
const metadata = { content: { contentType: 'binary/octet-stream' }, user: [['owner', 'somebody']] as const };

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** All that a PUT asks of this room. */
async function seal(plaintext: Buffer): Promise<{ readonly stored: Buffer[]; readonly entry: string }> {
  const random = randomBytes(96);
  const oid = random.subarray(0, 16);
  const dek = random.subarray(16, 48);
  const partSalt = random.subarray(48, 64);
  const keys = new ObjectKeys(dek, oid);
  const plaintextBytes = plaintext.length;
  const locationTag = keys.locationTag('bucket', 'some/key');
  const metadataTag = keys.metadataTag(canonicalMetadata(metadata));
  const envelope = sealEnvelope({
    head: {
      multipart: false,
      hasLocationClaim: true,
      hasMetadataTag: true,
      carriesMetadata: false,
      hasLocationEntry: false,
      hasContext: false,
      requested: 0,
      quantum: 0,
      keyRingId: '0011223344556677',
      kekVersion: 1,
      oid,
    },
    keys,
    dek,
    fields: { locationTag, metadataTag, partSalt, plaintextBytes },
    kek,
    tenant: 'tenant',
    envelopeSalt: random.subarray(64, 80),
  });
  const footerSalt = random.subarray(80, 96);
  const sealed = sealObject(chunks(plaintext), {
    keys,
    oid,
    partSalt,
    plaintextBytes,
    quantum: 0,
    envelope,
    footerSalt,
    manifest: () => ({}),
  });
  const stored: Buffer[] = [];
  for await (const block of sealed) {
    stored.push(Buffer.from(block));
  }
  return { stored, entry: encodeEnvelope(envelope) };
}

/** All that a GET asks of this room. */
async function open(stored: Buffer, entry: string): Promise<number> {
  const { head, keys, fields } = openEnvelope(decodeEnvelope(entry), { kek, tenant: 'tenant' });
  if (!keys.locationTag('bucket', 'some/key').equals(fields.locationTag)) throw new Error('moved');
  if (!keys.metadataTag(canonicalMetadata(metadata)).equals(fields.metadataTag)) throw new Error('changed');
  const { partSalt, plaintextBytes = 0 } = fields;
  const slices = Layout.single({ plaintextBytes, partSalt, quantum: head.quantum }).locate(undefined);
  let bytes = 0;
  for await (const piece of openSlices(chunks(stored), { keys, oid: head.oid, slices, storedFirst: 0 })) {
    bytes += piece.length;
  }
  return bytes;
}

async function measure(what: string, bytes: number, times: number, work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times / 4; i++) await work();
  const before = process.cpuUsage();
  const started = performance.now();
  for (let i = 0; i < times; i++) await work();
  const wallMicroseconds = ((performance.now() - started) * 1000) / times;
  const cpu = process.cpuUsage(before);
  const cpuMicroseconds = (cpu.user + cpu.system) / times;
  const speed = `${(bytes / wallMicroseconds).toFixed(0)} MB/s`;
  console.log(`${what}: ${wallMicroseconds.toFixed(1)} µs, ${cpuMicroseconds.toFixed(1)} µs CPU, ${speed}`);
}

for (const [name, bytes, times] of [
  ['4 KiB', 4096, 20_000],
  ['1 MiB', 1 << 20, 400],
  ['64 MiB', 64 << 20, 12],
] as const) {
  const plaintext = randomBytes(bytes);
  const { stored, entry } = await seal(plaintext);
  const whole = Buffer.concat(stored);
  await measure(`seal ${name} (${stored.length} buffers)`, bytes, times, () => seal(plaintext));
  await measure(`open ${name}`, bytes, times, () => open(whole, entry));
}
