import { open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file to write, and its new content. */
export interface DurableWrite {
  readonly path: string;
  readonly text: string;
  /** Tells the draft from drafts of other writers. */
  readonly draftSuffix: string;
  /** The default is 0600. */
  readonly mode?: number;
  /** Is called when all is written and nothing is visible yet. If it throws, the old file stays. */
  readonly beforeReplace?: () => Promise<void>;
}

/**
 * Replaces a file atomically: readers see either the old text or the new one. After this returns, a power cut cannot
 * undo it, because the draft was synced before the rename, and the directory after it.
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

/** Syncs a directory. Without this, a power cut may lose a name that was just given. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
