import { readCarried } from './carried-metadata.ts';
import type { ClientMetadata } from './claims.ts';
import { CUSTOMER_KEY, commitOf, readEnvelopeHead } from './envelope-head.ts';
import { readFooterEnvelope, readTrailer } from './footer.ts';
import { decodeLocationClaim, type LocationClaim } from './location-claim.ts';
import { contentsOf } from './manifest.ts';
import { plaintextBytesOf, quantumBytes, SEGMENT_BYTES, segmentCount } from './sizes.ts';

const REQUESTED = ['bucket default', 'managed (AES256)', 'KMS key', 'customer key'] as const;

/** The fields of an envelope that are in clear, in words. Nothing of them is authenticated. */
export interface EnvelopeExplanation {
  /** Where the envelope was read. A `footer copy` is as old as the body, and may name an older KEK. */
  readonly source: 'metadata' | 'footer copy';
  readonly version: number;
  readonly suite: string;
  readonly structure: 'single part (PutObject)' | 'multipart';
  readonly requestedEncryption: (typeof REQUESTED)[number];
  readonly locationClaim: boolean;
  /** Whether the location claim is in the entry `sx1l`, under the tenant's key (FORMAT.md §3.4). */
  readonly locationEntry: boolean;
  readonly metadataTag: boolean;
  /** Whether some of the client's metadata are in the entry `sx1m` (FORMAT.md §3.3). */
  readonly carriesMetadata: boolean;
  /** Whether the envelope is bound to an encryption context, which is in the entry `sx1c` (FORMAT.md §3.5). */
  readonly encryptionContext: boolean;
  readonly segmentBytes: number;
  readonly smallestPartBytes: number;
  /** 16 hex digits; undefined for a customer key. */
  readonly keyRingId: string | undefined;
  readonly kekVersion: number;
  readonly objectId: string;
  readonly keyCommitment: string;
}

/** What follows from the stored size (FORMAT.md §5). */
export interface SizeExplanation {
  readonly storedBytes: number;
  /** undefined where no SX1 object of this quantum has that stored size: the object was cut or extended. */
  readonly plaintextBytes: number | undefined;
  readonly overheadBytes: number | undefined;
  /** The number of segments; undefined for a multipart object, whose footer must be opened to know it. */
  readonly segments: number | undefined;
}

/** The fields of a trailer, which are in clear. Nothing of them is authenticated. */
export interface FooterExplanation {
  readonly plaintextBytes: number;
  readonly footerBytes: number;
  readonly manifestBytes: number;
  /** The number of parts, 0 for a PutObject; undefined where the manifest's length fits no number of parts. */
  readonly parts: number | undefined;
  /** Whether the manifest ends in the second half of a checksum of 64 bytes (SHA-512). */
  readonly longChecksum: boolean;
  /** Whether the manifest ends in the CRC-64 of the object. Each part may have one beside it, which is not in clear. */
  readonly crc64: boolean;
}

/** What `explainSealed` tells of a sealed object. */
export interface SealedExplanation {
  readonly format: 'SX1';
  /** Always false: to verify anything takes the key. */
  readonly authenticated: false;
  readonly envelope: EnvelopeExplanation;
  /** The metadata in the entry `sx1m`; undefined where it was not given, or is not what a writer makes. */
  readonly carried: ClientMetadata | undefined;
  /** The key that the entry `sx1l` names; undefined where it was not given, or is not what a writer makes. */
  readonly location: Pick<LocationClaim, 'keyRingId' | 'kekVersion'> | undefined;
  readonly sizes: SizeExplanation | undefined;
  readonly footer: FooterExplanation | undefined;
}

/**
 * Explains a sealed object by what is stored in clear. No key is needed, and the answer contains nothing secret. If the
 * envelope is not given, its copy in the footer is used, so `tail` must then contain the whole footer.
 * @throws GatewayError ObjectCorrupted where the bytes are not SX1
 * @throws RangeError where neither an envelope nor a tail is given
 */
export function explainSealed(known: {
  readonly envelope?: Buffer | undefined;
  /** The text of the entry `sx1m`. */
  readonly carried?: string | undefined;
  /** The text of the entry `sx1l`. */
  readonly location?: string | undefined;
  readonly storedBytes?: number | undefined;
  /** The object's last bytes: at least 64, which contain the trailer. */
  readonly tail?: Buffer | undefined;
}): SealedExplanation {
  const { envelope, carried, location, storedBytes, tail } = known;
  const bytes = envelope ?? (tail === undefined ? undefined : readFooterEnvelope(tail));
  if (bytes === undefined) throw new RangeError('An envelope or a tail is needed.');
  return {
    format: 'SX1',
    authenticated: false,
    envelope: explainEnvelope(bytes, envelope === undefined ? 'footer copy' : 'metadata'),
    carried: carried === undefined ? undefined : readCarried(carried),
    location: location === undefined ? undefined : explainLocation(location),
    sizes: storedBytes === undefined ? undefined : explainSizes(bytes, storedBytes),
    footer: tail === undefined ? undefined : explainFooter(tail),
  };
}

function explainEnvelope(bytes: Buffer, source: EnvelopeExplanation['source']): EnvelopeExplanation {
  const head = readEnvelopeHead(bytes);
  return {
    source,
    version: bytes.readUInt8(0),
    suite: 'AES-256-GCM, HMAC-SHA-256 (suite 1)',
    structure: head.multipart ? 'multipart' : 'single part (PutObject)',
    requestedEncryption: REQUESTED[head.requested],
    locationClaim: head.hasLocationClaim,
    locationEntry: head.hasLocationEntry,
    metadataTag: head.hasMetadataTag,
    carriesMetadata: head.carriesMetadata,
    encryptionContext: head.hasContext,
    segmentBytes: SEGMENT_BYTES,
    smallestPartBytes: quantumBytes(head.quantum),
    keyRingId: head.requested === CUSTOMER_KEY ? undefined : head.keyRingId,
    kekVersion: head.kekVersion,
    objectId: head.oid.toString('hex'),
    keyCommitment: commitOf(bytes).toString('hex'),
  };
}

function explainLocation(text: string): SealedExplanation['location'] {
  const claim = decodeLocationClaim(text);
  return claim && { keyRingId: claim.keyRingId, kekVersion: claim.kekVersion };
}

function explainSizes(bytes: Buffer, storedBytes: number): SizeExplanation {
  const { quantum, multipart } = readEnvelopeHead(bytes);
  const plaintextBytes = plaintextBytesOf(storedBytes, quantum);
  const known = plaintextBytes !== undefined;
  return {
    storedBytes,
    plaintextBytes,
    overheadBytes: known ? storedBytes - plaintextBytes : undefined,
    segments: known && !multipart ? segmentCount(plaintextBytes) : undefined,
  };
}

function explainFooter(tail: Buffer): FooterExplanation {
  const { plaintextBytes, footerBytes, manifestBytes } = readTrailer(tail);
  const contents = contentsOf(manifestBytes);
  const { parts, longChecksum = false, crc64 = false } = contents ?? {};
  return { plaintextBytes, footerBytes, manifestBytes, parts, longChecksum, crc64 };
}
