import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../store/durable-file.ts';
import { heldProvider, type RootKeyProvider } from './provider.ts';
import {
  ROOT_KEY_BYTES,
  ROOT_KEY_NEEDED,
  type RootKey,
  RootKeyInvalid,
  type RootKeyOptions,
  rootKeyFromBytes,
  rootKeyFromText,
} from './root-key.ts';

/** The root key in a file: 32 bytes in base64. */
export interface FileRootKey {
  readonly kind: 'file';
  readonly path: string;
  /** The file may be open to everybody on the machine: all of them are trusted. */
  readonly openToAll: boolean;
}

export function fileProvider(config: FileRootKey, options: RootKeyOptions): RootKeyProvider {
  return heldProvider(() => rootKeyFromFile(config.path, { ...options, openToAll: config.openToAll }));
}

/** Anything for everybody on the machine. */
const OPEN_TO_ALL = 0o007;
/** Writing for the group. Reading is how Kubernetes gives a secret to who runs under its fsGroup (0440). */
const OPEN_TO_GROUP = 0o020;

/** @throws RootKeyInvalid */
export async function rootKeyFromFile(
  path: string,
  options: RootKeyOptions & { readonly openToAll?: boolean | undefined } = {},
): Promise<RootKey> {
  const source = `the file ${path}`;
  let text: string;
  let mode: number;
  try {
    ({ mode } = await stat(path));
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RootKeyInvalid(source, `it cannot be read (${errorCode(error)}). ${ROOT_KEY_NEEDED}`);
  }
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  if ((mode & OPEN_TO_ALL) !== 0 && options.openToAll !== true) {
    throw new RootKeyInvalid(
      source,
      `everybody on this machine can use it (mode ${octal}). Use chmod 600 (in Kubernetes defaultMode: 0440), or ` +
        'keys.root.openToAll where all of them are trusted.',
    );
  }
  if ((mode & (OPEN_TO_ALL | OPEN_TO_GROUP)) !== 0) {
    options.onWarning?.(`The root key file ${path} has mode ${octal}: others can use it. Use chmod 600.`);
  }
  return rootKeyFromText(text, source, options);
}

/**
 * Writes a new random root key with mode 0600. The name appears at once and whole (link of a finished file), and an
 * existing file is never replaced: losing a root key loses every object.
 * @throws Error with code EEXIST when the file is there already
 */
export async function generateRootKeyFile(path: string, options: RootKeyOptions = {}): Promise<RootKey> {
  const random = options.randomBytes ?? nodeRandomBytes;
  const key = random(ROOT_KEY_BYTES);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${random(6).toString('hex')}.new`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${key.toString('base64')}\n`);
    await file.sync();
    await file.close();
    await link(draft, path);
  } finally {
    await file.close().catch(() => undefined);
    await unlink(draft);
  }
  await syncDirectory(dirname(path));
  return rootKeyFromBytes(key, options);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason';
}
