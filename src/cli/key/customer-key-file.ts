import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandFailed } from '../shell/command.ts';
import type { Terminal } from '../shell/terminal.ts';

const KEY_BYTES = 32;
/** Mode bits that let everybody on the machine read, write or execute a file. */
const OPEN_TO_ALL = 0o007;

/**
 * Reads a key that a client sends with its requests (S3's SSE-C): 32 bytes, or these in base64. The caller erases it.
 * A file that everybody on the machine can use is refused.
 * @throws CommandFailed, which quotes nothing of the file
 */
export function readCustomerKeyFile(file: string, terminal: Terminal): Buffer {
  const path = resolve(terminal.cwd, file);
  let content: Buffer;
  try {
    const { mode } = statSync(path);
    if ((mode & OPEN_TO_ALL) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      throw new CommandFailed(
        `The key file ${file} can be used by everybody on this machine (mode ${octal}). Use chmod 600.`,
      );
    }
    content = readFileSync(path);
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CommandFailed(`The key file ${file} cannot be read (${code}).`);
  }
  if (content.length === KEY_BYTES) return content;
  const text = content.toString('latin1').trim();
  const key = /^[A-Za-z0-9+/]{43}=$/.test(text) ? Buffer.from(text, 'base64') : undefined;
  content.fill(0);
  if (key?.length !== KEY_BYTES) {
    throw new CommandFailed(`The key file ${file} holds neither 32 bytes nor their base64.`);
  }
  return key;
}
