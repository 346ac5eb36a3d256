import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { EncryptionContext } from '../../src/envelope/encryption-context.ts';
import { type EnvelopeHead, sealEnvelope } from '../../src/envelope/envelope.ts';
import { type Manifest, multipartFooterBytes, sealFooter } from '../../src/envelope/footer.ts';
import { Layout } from '../../src/envelope/layout.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { openSealedFile } from '../../src/envelope/open-file.ts';
import type { QuantumId } from '../../src/envelope/sizes.ts';
import { openSlices, sealObject, sealPart } from '../../src/envelope/streams.ts';
import { GatewayError } from '../../src/errors.ts';

export const KEK = createSecretKey(Buffer.alloc(32, 7));
export const TENANT = 'acme';
export const RING = '00000000000000ab';

/** A sealed object with all that made it, so that a test can take any piece and swap it. */
export interface Sample {
  readonly plaintext: Buffer;
  readonly stored: Buffer;
  readonly envelope: Buffer;
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly dek: Buffer;
  readonly quantum: QuantumId;
  readonly manifest: Manifest;
  readonly layout: Layout;
}

export interface Identity {
  readonly tenant?: string;
  readonly kek?: KeyObject;
  readonly quantum?: QuantumId;
  /** To make another object, or another attempt, of the same DEK. */
  readonly oid?: Buffer;
  readonly dek?: Buffer;
  readonly context?: EncryptionContext;
}

export async function singleSample(plaintext: Buffer, identity: Identity = {}): Promise<Sample> {
  const { oid = randomBytes(16), dek = randomBytes(32), quantum = 0 } = identity;
  const keys = new ObjectKeys(dek, oid);
  const partSalt = randomBytes(16);
  const plaintextBytes = plaintext.length;
  const envelope = sampleEnvelope({ keys, oid, dek, quantum, partSalt, plaintextBytes }, identity);
  const digests = { md5: Buffer.alloc(16, 9), checksum: { algorithm: 'CRC32', value: Buffer.from('cafebabe', 'hex') } };
  const options = { keys, oid, partSalt, plaintextBytes, quantum, envelope, footerSalt: randomBytes(16) };
  const stored = await gather(sealObject(each(plaintext), { ...options, manifest: () => digests as never }));
  const layout = Layout.single({ plaintextBytes, partSalt, quantum });
  const manifest = { multipart: false, plaintextBytes, ...(digests as object), parts: [] } as unknown as Manifest;
  return { plaintext, stored, envelope, keys, oid, dek, quantum, manifest, layout };
}

/** Numbers from 1; parts may be of any size that fits the quantum. */
export async function multipartSample(parts: readonly Buffer[], identity: Identity = {}): Promise<Sample> {
  const { oid = randomBytes(16), dek = randomBytes(32), quantum = 2 } = identity;
  const keys = new ObjectKeys(dek, oid);
  const envelope = sampleEnvelope(
    { keys, oid, dek, quantum, partSalt: Buffer.alloc(16), plaintextBytes: undefined },
    identity,
  );
  const entries = parts.map((part, at) => ({
    partNumber: at + 1,
    plaintextBytes: part.length,
    partSalt: randomBytes(16),
    md5: undefined,
    crc64: undefined,
  }));
  const body: Buffer[] = [];
  for (const [at, entry] of entries.entries()) {
    body.push(await gather(sealPart(each(parts[at] as Buffer), { keys, oid, ...entry })));
  }
  const plaintext = Buffer.concat(parts);
  const manifest: Manifest = {
    multipart: true,
    plaintextBytes: plaintext.length,
    md5: undefined,
    checksum: undefined,
    parts: entries,
  };
  const footerBytes = multipartFooterBytes(entries, quantum, undefined);
  if (footerBytes === undefined) throw new Error('These parts are too small for the quantum.');
  const footer = sealFooter({ keys, oid, envelope, manifest, footerBytes, footerSalt: randomBytes(16) });
  const stored = Buffer.concat([...body, footer]);
  const layout = Layout.fromManifest(manifest, quantum);
  return { plaintext, stored, envelope, keys, oid, dek, quantum, manifest, layout };
}

function sampleEnvelope(
  made: {
    readonly keys: ObjectKeys;
    readonly oid: Buffer;
    readonly dek: Buffer;
    readonly quantum: QuantumId;
    readonly partSalt: Buffer;
    readonly plaintextBytes: number | undefined;
  },
  { tenant = TENANT, kek = KEK, context }: Identity,
): Buffer {
  const { keys, oid, dek, quantum, partSalt, plaintextBytes } = made;
  return sealEnvelope({
    head: sampleHead({ oid, quantum, multipart: plaintextBytes === undefined, hasContext: context !== undefined }),
    keys,
    dek,
    fields: { locationTag: keys.locationTag('b', 'k'), metadataTag: Buffer.alloc(16), partSalt, plaintextBytes },
    kek,
    tenant,
    envelopeSalt: randomBytes(16),
    context,
  });
}

export function sampleHead(fields: Partial<EnvelopeHead> & { readonly oid: Buffer }): EnvelopeHead {
  return {
    multipart: false,
    hasLocationClaim: true,
    hasMetadataTag: false,
    carriesMetadata: false,
    hasLocationEntry: false,
    hasContext: false,
    requested: 0,
    quantum: 0,
    keyRingId: RING,
    kekVersion: 3,
    ...fields,
  };
}

/** As the gateway does a whole GET: body through openSlices, by the layout that the object was sealed with. */
export async function openStream(sample: Sample, stored = sample.stored, chunkBytes = stored.length): Promise<Buffer> {
  const { keys, oid, layout } = sample;
  return gather(openSlices(each(stored, chunkBytes), { keys, oid, slices: layout.locate(undefined), storedFirst: 0 }));
}

/** As `sealgate open` does: envelope, footer, headers and segments all verified. */
export async function openWhole(
  stored: Buffer,
  envelope: Buffer | { readonly recover: true },
  { tenant = TENANT, kek = KEK }: Identity = {},
): Promise<Buffer> {
  const file = { size: stored.length, read: async (at: number, length: number) => stored.subarray(at, at + length) };
  const opened = await openSealedFile(file, { envelope, kek: () => kek, tenant });
  return gather(opened.bytes());
}

/** In pieces of `chunkBytes`, each in a buffer that is overwritten before the next one: sources may do that. */
export async function* each(bytes: Buffer, chunkBytes = Math.max(1, bytes.length)): AsyncGenerator<Buffer, void, void> {
  const reused = Buffer.alloc(Math.max(1, Math.min(chunkBytes, bytes.length)));
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const copied = bytes.copy(reused, 0, at, Math.min(bytes.length, at + chunkBytes));
    yield reused.subarray(0, copied);
    reused.fill(0xee);
  }
}

export async function gather(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece)); // the source may reuse its buffer
  return Buffer.concat(pieces);
}

/** Same bytes but for one flipped bit. */
export function flipped(bytes: Buffer, offset: number, bit = 0): Buffer {
  const copy = Buffer.from(bytes);
  copy[offset] = (copy[offset] as number) ^ (1 << bit);
  return copy;
}

/** The one error of everything that does not authenticate: exact code, source and text. */
export function expectCorrupted(thrown: unknown): void {
  expect(thrown).toBeInstanceOf(GatewayError);
  const { code, source, message } = thrown as GatewayError;
  expect({ code, source, message }).toEqual({
    code: 'ObjectCorrupted',
    source: 'backend',
    message: 'The stored object fails authentication: it was altered, or it is not the object that was sealed here.',
  });
}

export async function refusal(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was refused.');
}

/** Runs work that must be refused like any other forgery. */
export async function expectRefused(work: () => unknown): Promise<void> {
  expectCorrupted(await refusal(work));
}
