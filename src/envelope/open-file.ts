import type { KeyObject } from 'node:crypto';
import { corrupted } from './corruption.ts';
import { type OpenEnvelope, openEnvelope, readEnvelopeHead } from './envelope.ts';
import { FOOTER_END_BYTES, footerBytesOf, type Manifest, openFooter, readFooterEnvelope } from './footer.ts';
import { Layout } from './layout.ts';
import { maxFooterBytes, plaintextBytesOf } from './sizes.ts';
import { openSlices } from './streams.ts';

/** Big reads: a file costs per call. */
const READ_BYTES = 1024 * 1024;

/** Bytes that can be read anywhere: a downloaded file, say. */
export interface RandomAccess {
  readonly size: number;
  /** Exactly `length` bytes, fewer only past the end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A sealed object whose envelope and footer verified. */
export interface OpenedFile {
  /** Holds the DEK. The location claim is not checked: a file in hand lies at no bucket and key. */
  readonly envelope: OpenEnvelope;
  readonly manifest: Manifest;
  readonly plaintextBytes: number;
  /**
   * The plaintext, whole or a range (inclusive), each segment after its tag verified. Ends cleanly only when all did.
   * @throws GatewayError ObjectCorrupted while iterating; RangeError for a range outside the object
   */
  bytes(range?: { readonly first: number; readonly last: number }): AsyncIterable<Buffer>;
}

/**
 * Opens a sealed object without a gateway: envelope, footer, then plaintext on demand. The envelope comes from the
 * object's metadata, or, when somebody says so because metadata was lost, from the footer's copy.
 * @throws GatewayError ObjectCorrupted; whatever `kek` throws
 */
export async function openSealedFile(
  file: RandomAccess,
  options: {
    readonly envelope: Buffer | { readonly recover: true };
    /** Ring id as 16 hex digits, all zero for a customer key. */
    readonly kek: (keyRingId: string, version: number) => KeyObject | Promise<KeyObject>;
    readonly tenant: string;
  },
): Promise<OpenedFile> {
  const footer = await readFooter(file);
  const bytes = Buffer.isBuffer(options.envelope) ? options.envelope : readFooterEnvelope(footer);
  const { keyRingId, kekVersion } = readEnvelopeHead(bytes);
  const kek = await options.kek(keyRingId, kekVersion);
  const envelope = openEnvelope(bytes, { kek, tenant: options.tenant });
  const { head, keys, fields } = envelope;
  const { oid, quantum } = head;
  const { manifest } = openFooter(footer, { keys, oid, storedBytes: file.size, quantum });
  if (manifest.multipart !== head.multipart) throw corrupted();
  const { plaintextBytes } = manifest;
  if (!head.multipart && plaintextBytes !== fields.plaintextBytes) throw corrupted();
  const layout = head.multipart
    ? Layout.fromManifest(manifest, quantum)
    : Layout.single({ plaintextBytes, partSalt: fields.partSalt, quantum });
  return {
    envelope,
    manifest,
    plaintextBytes,
    bytes(range) {
      const slices = layout.locate(range);
      // A whole read begins with the first part's header, so that headers are verified as well.
      const first = range === undefined ? 0 : (slices[0]?.storedFirst ?? 0);
      const end = (slices.at(-1)?.storedLast ?? -1) + 1;
      return openSlices(readAll(file, first, end), { keys, oid, slices, storedFirst: first });
    },
  };
}

/** The footer's bytes, unverified. Its own word for its length counts only up to what any SX1 object can have. */
async function readFooter(file: RandomAccess): Promise<Buffer> {
  const end = await readExactly(file, Math.max(0, file.size - FOOTER_END_BYTES), Math.min(file.size, FOOTER_END_BYTES));
  const footerBytes = footerBytesOf(end);
  const possible = ([0, 1, 2] as const).some((quantum) => {
    const plaintextBytes = plaintextBytesOf(file.size, quantum);
    return plaintextBytes !== undefined && footerBytes <= maxFooterBytes(plaintextBytes, quantum);
  });
  if (!possible) throw corrupted();
  return readExactly(file, file.size - footerBytes, footerBytes);
}

async function* readAll(file: RandomAccess, first: number, end: number): AsyncGenerator<Buffer, void, void> {
  for (let at = first; at < end; at += READ_BYTES) yield await readExactly(file, at, Math.min(READ_BYTES, end - at));
}

async function readExactly(file: RandomAccess, offset: number, length: number): Promise<Buffer> {
  const bytes = await file.read(offset, length);
  if (bytes.length !== length) throw corrupted();
  return bytes;
}
