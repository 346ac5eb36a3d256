import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GatewayError } from '../errors.ts';

const TEMPORARY = '.tmp';
/** At a start with many objects: quick, and far from the limit of open files. */
const PARALLEL_READS = 32;

/** How files reach the disk: whole or not at all. */
export class Disk {
  /** fsync before anybody is told that something is stored. Tests that store much and crash never may do without. */
  readonly #durable: boolean;

  constructor(options: { readonly durable: boolean }) {
    this.#durable = options.durable;
  }

  async sync(handle: FileHandle): Promise<void> {
    if (this.#durable) await handle.sync();
  }

  /** Replaces a file at once: a reader, or a start after a crash, sees the old text or the new. */
  async replace(path: string, text: string): Promise<void> {
    const temporary = `${path}.${randomUUID()}${TEMPORARY}`;
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await this.sync(handle);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await this.syncFolder(dirname(path));
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true });
    await this.syncFolder(dirname(path));
  }

  /** A rename or removal lasts once its folder is on the disk. */
  async syncFolder(path: string): Promise<void> {
    if (!this.#durable) return;
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Every `*.json` of a folder, parsed; what a crash left half-written is removed. */
  async documents(folder: string): Promise<{ readonly name: string; readonly value: unknown }[]> {
    const names = await readdir(folder);
    const documents: { readonly name: string; readonly value: unknown }[] = [];
    const readNext = async () => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const path = join(folder, name);
        if (name.endsWith(TEMPORARY)) await rm(path, { force: true });
        if (name.endsWith('.json')) documents.push({ name: basename(name, '.json'), value: await this.document(path) });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_READS }, readNext));
    return documents;
  }

  async document(path: string): Promise<unknown> {
    const text = await readFile(path, 'utf8');
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new GatewayError('InternalError', `The embedded store cannot read ${basename(path)}: not JSON.`, {
        source: 'backend',
        cause,
      });
    }
  }
}
