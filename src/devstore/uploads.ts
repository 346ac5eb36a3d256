import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { clientError } from '../errors.ts';
import { Turns } from '../shares/turns.ts';
import type { Blobs } from './blobs.ts';
import type { Disk } from './disk.ts';
import { decodeRecord, encodeRecord, type ObjectRecord, type PartRecord, type UploadRecord } from './record.ts';

/** S3's: every part but the last has at least 5 MiB. */
export const MIN_PART_BYTES = 5 * 1024 * 1024;

/** A multipart upload under way. */
export interface Upload {
  readonly record: UploadRecord;
  readonly parts: ReadonlyMap<number, PartRecord>;
}

/** A part that Complete names; the ETag unquoted. */
export interface NamedPart {
  readonly partNumber: number;
  readonly etag: string;
}

interface OpenUpload extends Upload {
  readonly parts: Map<number, PartRecord>;
}

/** The unfinished uploads of a bucket: a folder each, `upload.json` and a sidecar a part. */
export class Uploads {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #blobs: Blobs;
  readonly #uploads = new Map<string, OpenUpload>();
  readonly #turns = new Turns();

  constructor(folder: string, disk: Disk, blobs: Blobs) {
    this.#folder = folder;
    this.#disk = disk;
    this.#blobs = blobs;
  }

  async load(): Promise<void> {
    for (const id of await readdir(this.#folder)) {
      const documents = await this.#disk.documents(join(this.#folder, id));
      const head = documents.find(({ name }) => name === 'upload');
      if (head === undefined) {
        await rm(join(this.#folder, id), { recursive: true }); // finished or aborted, and then the crash came
        continue;
      }
      const parts = documents
        .filter((document) => document !== head)
        .map(({ value }) => decodeRecord<PartRecord>(value));
      for (const part of parts) this.#blobs.retain(part.pieces);
      this.#uploads.set(id, {
        record: decodeRecord<UploadRecord>(head.value),
        parts: new Map(parts.map((part) => [part.partNumber, part])),
      });
    }
  }

  all(): Upload[] {
    return [...this.#uploads.values()];
  }

  async create(fields: Omit<UploadRecord, 'id'>): Promise<UploadRecord> {
    const record = { ...fields, id: randomBytes(16).toString('hex') };
    await mkdir(join(this.#folder, record.id));
    await this.#disk.replace(join(this.#folder, record.id, 'upload.json'), encodeRecord(record));
    this.#uploads.set(record.id, { record, parts: new Map() });
    return record;
  }

  /** @throws GatewayError NoSuchUpload, also for another key's upload */
  find(key: string, id: string): Upload {
    return this.#find(key, id);
  }

  /** Takes over one hold on the part's pieces, also when it throws. The last of two writers of a number wins. */
  async putPart(key: string, id: string, part: PartRecord): Promise<void> {
    let kept = false;
    try {
      await this.#turns.take(id, async () => {
        const upload = this.#find(key, id);
        await this.#disk.replace(join(this.#folder, id, `${part.partNumber}.json`), encodeRecord(part));
        const before = upload.parts.get(part.partNumber);
        upload.parts.set(part.partNumber, part);
        kept = true;
        if (before !== undefined) await this.#blobs.release(before.pieces);
      });
    } catch (error) {
      if (!kept) await this.#blobs.release(part.pieces);
      throw error;
    }
  }

  /**
   * Turns the named parts into an object by `commit`, then forgets the upload. When `commit` refuses, it stays.
   * @throws GatewayError InvalidPart, InvalidPartOrder, EntityTooSmall, NoSuchUpload, and what `commit` throws
   */
  async complete(options: {
    readonly key: string;
    readonly id: string;
    readonly named: readonly NamedPart[];
    readonly modifiedMs: number;
    readonly commit: (record: ObjectRecord) => Promise<void>;
  }): Promise<ObjectRecord> {
    return await this.#turns.take(options.id, async () => {
      const upload = this.#find(options.key, options.id);
      const { headers, metadata, tags } = upload.record;
      const parts = chooseParts(upload, options.named);
      const record: ObjectRecord = {
        key: options.key,
        etag: multipartEtag(parts),
        bytes: parts.reduce((bytes, part) => bytes + part.bytes, 0),
        modifiedMs: options.modifiedMs,
        headers,
        metadata,
        tags,
        pieces: parts.flatMap((part) => part.pieces),
      };
      this.#blobs.retain(record.pieces); // for the object; the upload keeps its own hold until it is forgotten
      await options.commit(record);
      await this.#forget(upload);
      return record;
    });
  }

  async abort(key: string, id: string): Promise<void> {
    await this.#turns.take(id, () => this.#forget(this.#find(key, id)));
  }

  /** For a bucket that goes away as a whole. */
  async releaseAll(): Promise<void> {
    for (const { parts } of this.#uploads.values()) {
      for (const part of parts.values()) await this.#blobs.release(part.pieces);
    }
    this.#uploads.clear();
  }

  #find(key: string, id: string): OpenUpload {
    const upload = this.#uploads.get(id);
    if (upload === undefined || upload.record.key !== key) {
      throw clientError('NoSuchUpload', 'The upload does not exist: it was completed or aborted, or never was.', {
        details: { uploadId: id },
      });
    }
    return upload;
  }

  async #forget({ record, parts }: OpenUpload): Promise<void> {
    await this.#disk.remove(join(this.#folder, record.id, 'upload.json')); // from here on a start will not see it
    this.#uploads.delete(record.id);
    await rm(join(this.#folder, record.id), { recursive: true });
    for (const part of parts.values()) await this.#blobs.release(part.pieces);
  }
}

function chooseParts(upload: Upload, named: readonly NamedPart[]): PartRecord[] {
  let last = 0;
  const chosen = named.map(({ partNumber, etag }) => {
    if (partNumber <= last) throw clientError('InvalidPartOrder', 'The list of parts was not in ascending order.');
    last = partNumber;
    const part = upload.parts.get(partNumber);
    if (part === undefined || part.etag !== etag) {
      throw clientError('InvalidPart', `Part ${partNumber} was not uploaded, or its ETag is another.`);
    }
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.bytes < MIN_PART_BYTES);
  if (small !== undefined) {
    throw clientError(
      'EntityTooSmall',
      `Part ${small.partNumber} has ${small.bytes} bytes; all but the last need ${MIN_PART_BYTES}.`,
    );
  }
  return chosen;
}

/** MD5 of the parts' MD5s, and their number. */
function multipartEtag(parts: readonly PartRecord[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(Buffer.from(part.etag, 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
}
