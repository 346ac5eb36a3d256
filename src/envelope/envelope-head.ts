import { corrupted, requireLength, unknownFormat } from './corruption.ts';
import { OID_BYTES, SUITE } from './object-keys.ts';
import type { QuantumId } from './sizes.ts';

export const VERSION = 1;
export const ENVELOPE_BYTES = 184;

const COMMIT_OFFSET = 48;
const COMMIT_BYTES = 32;
const SEGMENT_LOG2 = 16;
const MULTIPART = 0b1;
const LOCATION = 0b10;
const METADATA = 0b100;
const REQUESTED_SHIFT = 3;
const REQUESTED_MASK = 0b11;
const CARRIES = 0b10_0000;
const CONTEXT = 0b100_0000;
const LOCATION_BESIDE = 0b1000_0000;
const QUANTUM_SHIFT = 5;
const RING_HEX = /^[0-9a-f]{16}$/;
const NO_RING = '0000000000000000';

/**
 * The encryption that the client asked for: 0 bucket default, 1 managed (AES256), 2 KMS with a key id, 3 customer key.
 */
export type RequestedEncryption = 0 | 1 | 2 | 3;
export const CUSTOMER_KEY = 3;

/** The fields of an envelope that are in clear (FORMAT.md §3). They are authentic only once the envelope was opened. */
export interface EnvelopeHead {
  /** Whether the footer lists parts. The length of the plaintext is then in the footer and not in the envelope. */
  readonly multipart: boolean;
  /** Whether readers must check loc_tag. */
  readonly hasLocationClaim: boolean;
  /** Whether readers must check meta_tag. */
  readonly hasMetadataTag: boolean;
  /** Whether some of the client's metadata are in the entry `sx1m`. Older gateways refuse such an object. */
  readonly carriesMetadata: boolean;
  /**
   * Whether the envelope is bound to an encryption context, which is in the entry `sx1c`. Older gateways refuse such an
   * object.
   */
  readonly hasContext: boolean;
  /**
   * Whether the location claim is in the entry `sx1l`, as with objects under a customer's key (FORMAT.md §3.4). The
   * envelope itself then has none. Older gateways refuse such an object.
   */
  readonly hasLocationEntry: boolean;
  readonly requested: RequestedEncryption;
  readonly quantum: QuantumId;
  /** 16 hex digits. They are all zero for a customer key, and only then. */
  readonly keyRingId: string;
  readonly kekVersion: number;
  readonly oid: Buffer;
}

/**
 * Reads the clear fields, which name the KEK that opens the envelope. Nothing is authenticated.
 * @throws GatewayError ObjectCorrupted; an unknown version or suite has its own message
 */
export function readEnvelopeHead(bytes: Buffer): EnvelopeHead {
  requireKnownFormat(bytes);
  const flags = bytes.readUInt8(2);
  const segmentAndQuantum = bytes.readUInt8(3);
  const quantum = segmentAndQuantum >> QUANTUM_SHIFT;
  if ((segmentAndQuantum & 0b1_1111) !== SEGMENT_LOG2 || !isQuantum(quantum)) {
    throw corrupted();
  }
  const requested = ((flags >> REQUESTED_SHIFT) & REQUESTED_MASK) as RequestedEncryption;
  const keyRingId = bytes.toString('hex', 4, 12);
  if ((requested === CUSTOMER_KEY) !== (keyRingId === NO_RING)) throw corrupted();
  const hasLocationEntry = (flags & LOCATION_BESIDE) !== 0;
  if (hasLocationEntry && (requested !== CUSTOMER_KEY || (flags & LOCATION) !== 0)) throw corrupted();
  return {
    multipart: (flags & MULTIPART) !== 0,
    hasLocationClaim: (flags & LOCATION) !== 0,
    hasMetadataTag: (flags & METADATA) !== 0,
    carriesMetadata: (flags & CARRIES) !== 0,
    hasLocationEntry,
    hasContext: (flags & CONTEXT) !== 0,
    requested,
    quantum,
    keyRingId,
    kekVersion: bytes.readUInt32BE(12),
    oid: Buffer.from(bytes.subarray(16, 32)),
  };
}

/**
 * Checks version, suite and length. The length comes last, because an envelope of a later version may be longer, and
 * must be told apart from a damaged one.
 * @throws GatewayError ObjectCorrupted; an unknown version or suite has its own message
 */
export function requireKnownFormat(bytes: Buffer): void {
  if (bytes.length < 2) throw corrupted();
  const version = bytes.readUInt8(0);
  if (version !== VERSION) throw unknownFormat('version', version);
  const suite = bytes.readUInt8(1);
  if (suite !== SUITE) throw unknownFormat('suite', suite);
  if (bytes.length !== ENVELOPE_BYTES) throw corrupted();
}

/**
 * Writes bytes 0..79, to which the envelope key and the AAD bind the sealed fields.
 * @throws RangeError for bad fields
 */
export function writeEnvelopeHead(bytes: Buffer, head: EnvelopeHead, envelopeSalt: Buffer, commit: Buffer): void {
  requireLength(head.oid, OID_BYTES, 'An oid');
  if (!RING_HEX.test(head.keyRingId)) throw new RangeError('A key-ring id must be 16 hex digits.');
  if ((head.requested === CUSTOMER_KEY) !== (head.keyRingId === NO_RING)) {
    throw new RangeError('The key-ring id is zero exactly for a customer key.');
  }
  if (head.hasLocationEntry && (head.requested !== CUSTOMER_KEY || head.hasLocationClaim)) {
    throw new RangeError('The location claim lies beside the envelope only for a customer key, and only once.');
  }
  bytes[0] = VERSION;
  bytes[1] = SUITE;
  bytes[2] =
    (head.multipart ? MULTIPART : 0) |
    (head.hasLocationClaim ? LOCATION : 0) |
    (head.hasMetadataTag ? METADATA : 0) |
    (head.carriesMetadata ? CARRIES : 0) |
    (head.hasLocationEntry ? LOCATION_BESIDE : 0) |
    (head.hasContext ? CONTEXT : 0) |
    (head.requested << REQUESTED_SHIFT);
  bytes[3] = (head.quantum << QUANTUM_SHIFT) | SEGMENT_LOG2;
  bytes.write(head.keyRingId, 4, 'hex');
  bytes.writeUInt32BE(head.kekVersion, 12);
  head.oid.copy(bytes, 16);
  envelopeSalt.copy(bytes, 32);
  commit.copy(bytes, COMMIT_OFFSET);
}

/** The key commitment in an envelope (FORMAT.md §2). */
export function commitOf(bytes: Buffer): Buffer {
  return bytes.subarray(COMMIT_OFFSET, COMMIT_OFFSET + COMMIT_BYTES);
}

function isQuantum(id: number): id is QuantumId {
  return id === 0 || id === 1 || id === 2;
}
