import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const READ_BYTES = 1024 * 1024;

/** The files under a folder that hold a text, or these bytes: what a thief of the disk would find. Files that go meanwhile are skipped. */
export async function filesHolding(folder: string, text: string | Buffer): Promise<string[]> {
  const wanted = typeof text === 'string' ? Buffer.from(text) : text;
  const found: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await holds(path, wanted))) found.push(path);
  }
  return found;
}

async function holds(path: string, wanted: Buffer): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const buffer = Buffer.alloc(READ_BYTES + wanted.length);
    let kept = 0; // the end of what was read before: a text may lie across two reads
    for (;;) {
      const { bytesRead } = await file.read(buffer, kept, READ_BYTES);
      if (bytesRead === 0) return false;
      const filled = kept + bytesRead;
      if (buffer.subarray(0, filled).includes(wanted)) return true;
      kept = Math.min(wanted.length - 1, filled);
      buffer.copy(buffer, 0, filled - kept, filled);
    }
  } finally {
    await file.close();
  }
}
