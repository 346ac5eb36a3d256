import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import type { Disk } from './disk.ts';

/** A stretch of a data file. An object is a row of these, so that Complete and Copy move no bytes. */
export interface Piece {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

/** Bytes written, and owned by whoever asked until handed to a record or released. */
export interface Written {
  readonly pieces: readonly Piece[];
  readonly bytes: number;
  readonly md5: Buffer;
}

const READ_BYTES = 256 * 1024;

/**
 * Data files: written once, never changed, counted. A file goes when no record and no reader holds it any more, so an
 * overwrite cannot pull the bytes from under a download. Counts live in memory; `sweep` removes what a crash left.
 */
export class Blobs {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #holders = new Map<string, number>();

  private constructor(folder: string, disk: Disk) {
    this.#folder = folder;
    this.#disk = disk;
  }

  static async open(folder: string, disk: Disk): Promise<Blobs> {
    await mkdir(folder, { recursive: true });
    return new Blobs(folder, disk);
  }

  /** Streams to a new file. A source that throws leaves nothing behind. */
  async write(source: ByteSource): Promise<Written> {
    const file = `${randomUUID()}.data`;
    const path = join(this.#folder, file);
    const handle = await open(path, 'wx', 0o600);
    const md5 = createHash('md5');
    let bytes = 0;
    try {
      for await (const chunk of source) {
        md5.update(chunk);
        await handle.writeFile(chunk);
        bytes += chunk.length;
      }
      await this.#disk.sync(handle);
      await handle.close();
      await this.#disk.syncFolder(this.#folder);
    } catch (error) {
      await handle.close().catch(() => undefined); // closed already when syncing the folder failed
      await rm(path, { force: true });
      throw error;
    }
    this.#holders.set(file, 1);
    return { pieces: [{ file, offset: 0, bytes }], bytes, md5: md5.digest() };
  }

  retain(pieces: readonly Piece[]): void {
    for (const { file } of pieces) this.#holders.set(file, (this.#holders.get(file) ?? 0) + 1);
  }

  async release(pieces: readonly Piece[]): Promise<void> {
    for (const { file } of pieces) {
      const left = (this.#holders.get(file) ?? 0) - 1;
      if (left > 0) {
        this.#holders.set(file, left);
      } else {
        this.#holders.delete(file);
        await rm(join(this.#folder, file), { force: true });
      }
    }
  }

  /** Held from this call on, let go when the iteration ends: iterate it. */
  read(pieces: readonly Piece[], range?: ByteRange): ByteSource {
    const wanted = range === undefined ? pieces : slicePieces(pieces, range);
    this.retain(wanted);
    return this.#stream(wanted);
  }

  async *#stream(pieces: readonly Piece[]): AsyncGenerator<Buffer> {
    try {
      for (const piece of pieces) yield* this.#streamPiece(piece);
    } finally {
      await this.release(pieces);
    }
  }

  async *#streamPiece(piece: Piece): AsyncGenerator<Buffer> {
    const handle = await open(join(this.#folder, piece.file), 'r');
    try {
      let position = piece.offset;
      const end = piece.offset + piece.bytes;
      while (position < end) {
        const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, end - position)); // the socket keeps it for a while
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) throw new Error(`The data file ${piece.file} is shorter than its record says.`);
        yield bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
        position += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }

  /** Removes the files that nobody holds. Only once all records are loaded. */
  async sweep(): Promise<void> {
    for (const file of await readdir(this.#folder)) {
      if (!this.#holders.has(file)) await rm(join(this.#folder, file), { force: true });
    }
  }
}

/** The pieces, or parts of them, that hold a range of the whole. */
export function slicePieces(pieces: readonly Piece[], range: ByteRange): Piece[] {
  const sliced: Piece[] = [];
  let start = 0;
  for (const piece of pieces) {
    const from = Math.max(range.first - start, 0);
    const to = Math.min(range.last + 1 - start, piece.bytes);
    if (to > from) sliced.push({ file: piece.file, offset: piece.offset + from, bytes: to - from });
    start += piece.bytes;
  }
  return sliced;
}
