import { corrupted } from './corruption.ts';
import type { EncryptionContext } from './encryption-context.ts';
import { type OpenEnvelope, openEnvelope, readEnvelopeHead } from './envelope.ts';
import type { KekBytes } from './envelope-binding.ts';
import { FOOTER_END_BYTES, footerBytesOf, type Manifest, openFooter, readFooterEnvelope } from './footer.ts';
import { Layout } from './layout.ts';
import { maxFooterBytes, plaintextBytesOf } from './sizes.ts';
import { openSlices } from './streams.ts';

/** How much is read at a time. Reads are large, because each call costs. */
const READ_BYTES = 1024 * 1024;

/** The stored bytes of an object that can be read at any offset, such as a downloaded file. */
export interface RandomAccess {
  /** The stored size in bytes. */
  readonly size: number;
  /** Reads `length` bytes, or fewer where the end comes before. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A sealed object whose envelope and footer were verified. */
export interface OpenedFile {
  /** It holds the DEK. Its location was not checked, because a file is at no bucket and key. */
  readonly envelope: OpenEnvelope;
  readonly manifest: Manifest;
  readonly plaintextBytes: number;
  /**
   * Opens the whole object, or a range of it (inclusive). Each segment comes after its tag was verified, and the
   * iteration ends without an error only if all of them were.
   * @throws GatewayError ObjectCorrupted while iterating; RangeError for a range that is not within the object
   */
  bytes(range?: { readonly first: number; readonly last: number }): AsyncIterable<Buffer>;
}

/**
 * Opens a sealed object without a gateway. Envelope and footer are verified at once, the segments when they are read.
 * @param options `envelope` is the one in the object's metadata. Where the metadata were lost, `recover` takes the copy
 *   in the footer instead.
 * @throws GatewayError ObjectCorrupted, and what `kek` throws
 */
export async function openSealedFile(
  file: RandomAccess,
  options: {
    readonly envelope: Buffer | { readonly recover: true };
    /** Gives the KEK. The id of the key ring has 16 hex digits, which are all zero for a customer key. */
    readonly kek: (keyRingId: string, version: number) => KekBytes | Promise<KekBytes>;
    readonly tenant: string;
    /** The text of the entry `sx1c`, or the context itself where that was lost (`openEnvelope`). */
    readonly context?: string | EncryptionContext | undefined;
  },
): Promise<OpenedFile> {
  const footer = await readFooter(file);
  const bytes = Buffer.isBuffer(options.envelope) ? options.envelope : readFooterEnvelope(footer);
  const { keyRingId, kekVersion } = readEnvelopeHead(bytes);
  const kek = await options.kek(keyRingId, kekVersion);
  const envelope = openEnvelope(bytes, { kek, tenant: options.tenant, context: options.context });
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
      // To read the whole object begins with the first part's header, so that the headers are verified as well.
      const first = range === undefined ? 0 : (slices[0]?.storedFirst ?? 0);
      const end = (slices.at(-1)?.storedLast ?? -1) + 1;
      return openSlices(readAll(file, first, end), { keys, oid, slices, storedFirst: first });
    },
  };
}

/**
 * Reads the footer without verifying it. The length that it tells of itself is checked to be possible for this size.
 */
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
