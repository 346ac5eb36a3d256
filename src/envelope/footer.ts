import { createCipheriv, createDecipheriv } from 'node:crypto';
import { corrupted, requireLength, requireZero, sameBytes, unknownFormat } from './corruption.ts';
import { ENVELOPE_BYTES, VERSION } from './envelope-head.ts';
import {
  decodeManifest,
  encodeManifest,
  type Manifest,
  manifestBytes,
  type PartEntry,
  type TypedChecksum,
} from './manifest.ts';
import { type ObjectKeys, OID_BYTES, SALT_BYTES, SUITE } from './object-keys.ts';
import { type QuantumId, sealedBytes, sealedPartBytes, TAG_BYTES } from './sizes.ts';
import { readU64, writeU64 } from './u64.ts';

export type { Manifest, PartEntry };

const MAGIC = Buffer.from('SXF1');
/** The size of the envelope's copy with its padding. It leaves room for a longer envelope of a later version. */
const COPY_BYTES = 240;
const TRAILER_BYTES = 48;
/** The size of the trailer and its tag, with which every object ends. The trailer tells how long the footer is. */
export const FOOTER_END_BYTES = TRAILER_BYTES + TAG_BYTES;
/** The size of the footer without the manifest. */
const FRAME_BYTES = COPY_BYTES + FOOTER_END_BYTES;
const SALT_OFFSET = 24;
/** The nonce may be constant, because each footer key is used for one sealing only (FORMAT.md §4). */
const ZERO_NONCE = Buffer.alloc(12);

/**
 * The size of the footer of an object of these parts, which pads the object to E(n) bytes (FORMAT.md §5). undefined
 * where the list of parts does not fit in it, because there are too many parts that are smaller than the quantum.
 */
export function multipartFooterBytes(
  parts: readonly { readonly plaintextBytes: number }[],
  quantum: QuantumId,
  checksum: Pick<TypedChecksum, 'algorithm'> | undefined,
): number | undefined {
  let plaintextBytes = 0;
  let bodyBytes = 0;
  for (const part of parts) {
    plaintextBytes += part.plaintextBytes;
    bodyBytes += sealedPartBytes(part.plaintextBytes);
  }
  const footerBytes = sealedBytes(plaintextBytes, quantum) - bodyBytes;
  return footerBytes >= FRAME_BYTES + manifestBytes({ parts, checksum }) ? footerBytes : undefined;
}

/** Whether a footer of this size has room for a manifest. */
export function footerHolds(manifest: Manifest, footerBytes: number): boolean {
  return footerBytes >= FRAME_BYTES + manifestBytes(manifest);
}

/**
 * Seals a footer.
 * @param asked `footerBytes` is its exact size: E(n) less the stored bytes of the parts. `footerSalt` must be 16 fresh
 *   random bytes. `envelope` is copied into the footer, for recovery where the metadata are lost.
 * @throws RangeError where the manifest is inconsistent or does not fit
 */
export function sealFooter(asked: {
  readonly keys: ObjectKeys;
  readonly oid: Buffer;
  readonly envelope: Buffer;
  readonly manifest: Manifest;
  readonly footerBytes: number;
  readonly footerSalt: Buffer;
}): Buffer {
  const { keys, oid, envelope, manifest, footerBytes, footerSalt } = asked;
  requireLength(envelope, ENVELOPE_BYTES, 'An envelope');
  requireLength(oid, OID_BYTES, 'An oid');
  const plaintext = encodeManifest(manifest, footerBytes - FRAME_BYTES);
  const footer = Buffer.allocUnsafe(footerBytes);
  envelope.copy(footer);
  footer.fill(0, ENVELOPE_BYTES, COPY_BYTES);
  const trailer = footer.subarray(footerBytes - FOOTER_END_BYTES, footerBytes - TAG_BYTES);
  writeTrailer(trailer, manifest, footerBytes, footerSalt);
  const cipher = createCipheriv('aes-256-gcm', keys.footerKey(footerSalt), ZERO_NONCE, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([oid, trailer]));
  cipher.update(plaintext).copy(footer, COPY_BYTES);
  cipher.final();
  cipher.getAuthTag().copy(footer, footerBytes - TAG_BYTES);
  return footer;
}

/**
 * Opens the footer of an object. Verifies its tag, that the manifest is consistent, and that the sizes of parts and
 * footer add up to the object's stored size, which is E(n). The envelope's copy is not used.
 * @param tail the object's last bytes, at least as many as the footer has
 * @throws GatewayError ObjectCorrupted, also for a tail that is shorter than the footer
 */
export function openFooter(
  tail: Buffer,
  context: {
    readonly keys: ObjectKeys;
    readonly oid: Buffer;
    readonly storedBytes: number;
    readonly quantum: QuantumId;
  },
): { readonly manifest: Manifest; readonly footerBytes: number } {
  const { keys, oid, storedBytes, quantum } = context;
  const trailer = readTrailer(tail);
  const { plaintextBytes, footerBytes } = trailer;
  if (footerBytes > tail.length || footerBytes < FRAME_BYTES + trailer.manifestBytes) throw corrupted();
  const sealed = tail.subarray(tail.length - footerBytes + COPY_BYTES, tail.length - FOOTER_END_BYTES);
  const key = keys.footerKey(trailer.footerSalt);
  const decipher = createDecipheriv('aes-256-gcm', key, ZERO_NONCE, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([oid, trailer.bytes]));
  decipher.setAuthTag(tail.subarray(tail.length - TAG_BYTES));
  const padded = decipher.update(sealed);
  try {
    decipher.final();
  } catch {
    throw corrupted();
  }
  const manifest = decodeManifest(padded);
  if (manifest.plaintextBytes !== plaintextBytes || manifestBytes(manifest) !== trailer.manifestBytes)
    throw corrupted();
  const wholeBytes = partsBytes(manifest) + footerBytes;
  if (wholeBytes !== storedBytes || !isSealedSize(plaintextBytes, storedBytes, quantum)) throw corrupted();
  return { manifest, footerBytes };
}

/**
 * The size of the footer in bytes, as its trailer says. It is not authenticated, so compare it with `maxFooterBytes`
 * before so much is fetched.
 * @throws GatewayError ObjectCorrupted where the tail does not end in an SX1 trailer
 */
export function footerBytesOf(tail: Buffer): number {
  return readTrailer(tail).footerBytes;
}

/**
 * Reads the copy of the envelope in a footer. It is for recovery where the metadata were lost, and is used only where
 * somebody asked for that: the copy is as old as the body, so it may name an older KEK or another place than the
 * envelope that was lost.
 * @throws GatewayError ObjectCorrupted
 */
export function readFooterEnvelope(tail: Buffer): Buffer {
  const { footerBytes } = readTrailer(tail);
  if (footerBytes < FRAME_BYTES || footerBytes > tail.length) throw corrupted();
  const copy = tail.subarray(tail.length - footerBytes, tail.length - footerBytes + COPY_BYTES);
  requireZero(copy, ENVELOPE_BYTES, COPY_BYTES);
  return Buffer.from(copy.subarray(0, ENVELOPE_BYTES));
}

/** The fields of a trailer, which are in clear. They are not authenticated yet. */
export interface Trailer {
  readonly bytes: Buffer;
  readonly plaintextBytes: number;
  readonly manifestBytes: number;
  readonly footerBytes: number;
  readonly footerSalt: Buffer;
}

/** Reads the trailer. @throws GatewayError ObjectCorrupted; an unknown version or suite has its own message */
export function readTrailer(tail: Buffer): Trailer {
  if (tail.length < FOOTER_END_BYTES) throw corrupted();
  const bytes = tail.subarray(tail.length - FOOTER_END_BYTES, tail.length - TAG_BYTES);
  if (!sameBytes(bytes.subarray(0, 4), MAGIC)) throw corrupted();
  if (bytes[4] !== VERSION) throw unknownFormat('version', bytes.readUInt8(4));
  if (bytes[5] !== SUITE) throw unknownFormat('suite', bytes.readUInt8(5));
  requireZero(bytes, 6, 8);
  requireZero(bytes, 40, TRAILER_BYTES);
  const plaintextBytes = readU64(bytes, 8);
  if (plaintextBytes === undefined) throw corrupted();
  return {
    bytes,
    plaintextBytes,
    manifestBytes: bytes.readUInt32BE(16),
    footerBytes: bytes.readUInt32BE(20),
    footerSalt: bytes.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES),
  };
}

function writeTrailer(trailer: Buffer, manifest: Manifest, footerBytes: number, footerSalt: Buffer): void {
  requireLength(footerSalt, SALT_BYTES, 'A footer salt');
  trailer.fill(0);
  MAGIC.copy(trailer);
  trailer[4] = VERSION;
  trailer[5] = SUITE;
  writeU64(trailer, manifest.plaintextBytes, 8);
  trailer.writeUInt32BE(manifestBytes(manifest), 16);
  trailer.writeUInt32BE(footerBytes, 20);
  footerSalt.copy(trailer, SALT_OFFSET);
}

function partsBytes({ plaintextBytes, parts }: Manifest): number {
  if (parts.length === 0) return sealedPartBytes(plaintextBytes);
  return parts.reduce((bytes, part) => bytes + sealedPartBytes(part.plaintextBytes), 0);
}

function isSealedSize(plaintextBytes: number, storedBytes: number, quantum: QuantumId): boolean {
  try {
    return sealedBytes(plaintextBytes, quantum) === storedBytes;
  } catch {
    return false; // the length is so large that E(n) is not a safe integer
  }
}
