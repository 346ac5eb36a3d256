import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface DurableWrite {
  readonly path: string;
  readonly text: string;
  /** Distinguishes the draft from other writers' drafts. */
  readonly draftSuffix: string;
  /** Default 0600. */
  readonly mode?: number;
  /** Asked when all is written and nothing is visible yet; throwing leaves the old file. */
  readonly beforeReplace?: () => Promise<void>;
}

/**
 * Replaces a file atomically: readers see the old text or the new, and after this returns a power cut
 * does not take it back (fsync of the draft before the rename, of the directory after it).
 */
export async function writeDurably({
  path,
  text,
  draftSuffix,
  mode = 0o600,
  beforeReplace,
}: DurableWrite): Promise<void> {
  const draft = `${path}.${draftSuffix}`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await beforeReplace?.();
    await rename(draft, path);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Without this a power cut may forget a name that was just given. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
