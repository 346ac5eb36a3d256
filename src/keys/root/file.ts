import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setting } from '../../settings/forms/setting.ts';
import { flag, path } from '../../settings/forms/values.ts';
import { syncDirectory } from '../store/durable-file.ts';
import { heldProvider } from './provider.ts';
import {
  ROOT_KEY_BYTES,
  ROOT_KEY_NEEDED,
  type RootKey,
  RootKeyInvalid,
  type RootKeyOptions,
  rootKeyFromBytes,
  rootKeyFromText,
} from './root-key.ts';
import type { RootKeyRow } from './row.ts';

/** The root key in a file: 32 bytes in base64. */
export interface FileRootKey {
  readonly kind: 'file';
  readonly path: string;
  /** Whether everybody on the machine may be able to read the file, because all of them are trusted. */
  readonly openToAll: boolean;
}

const settings = {
  file: setting(path, 'File that holds the root key: 32 bytes in base64.').optional(),
  openToAll: setting(
    flag(),
    'Start although everybody on the machine can read the root key’s file, where all of them are trusted.',
  ).prefault(false),
};

/** The row of `keys.root.file`. */
export const fileRow: RootKeyRow<typeof settings, FileRootKey> = {
  settings,
  place: ({ file, openToAll }) => (file === undefined ? undefined : { kind: 'file', path: file, openToAll }),
  open: (place, options) => heldProvider(() => rootKeyFromFile(place.path, { ...options, openToAll: place.openToAll })),
};

/** Mode bits that let everybody on the machine read, write or execute the file. */
const OPEN_TO_ALL = 0o007;
/**
 * Mode bit that lets the group write. Reading is allowed, because Kubernetes gives secrets so to who runs under its
 * fsGroup (0440).
 */
const OPEN_TO_GROUP = 0o020;

/**
 * Reads the root key from a file.
 * @throws RootKeyInvalid
 */
export async function rootKeyFromFile(
  file: string,
  options: RootKeyOptions & { readonly openToAll?: boolean | undefined } = {},
): Promise<RootKey> {
  const source = `the file ${file}`;
  let text: string;
  let mode: number;
  try {
    ({ mode } = await stat(file));
    text = await readFile(file, 'utf8');
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
    options.onWarning?.(`The root key file ${file} has mode ${octal}: others can use it. Use chmod 600.`);
  }
  return rootKeyFromText(text, source, options);
}

/**
 * Writes a new random root key with mode 0600. The name appears at once and with the whole key (link of a finished
 * file). An existing file is never replaced, because losing a root key loses every object.
 * @throws Error with code EEXIST if there is such a file already
 */
export async function generateRootKeyFile(file: string, options: RootKeyOptions = {}): Promise<RootKey> {
  const random = options.randomBytes ?? nodeRandomBytes;
  const key = random(ROOT_KEY_BYTES);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${random(6).toString('hex')}.new`;
  const opened = await open(draft, 'wx', 0o600);
  try {
    await opened.writeFile(`${key.toString('base64')}\n`);
    await opened.sync();
    await opened.close();
    await link(draft, file);
  } finally {
    await opened.close().catch(() => undefined);
    await unlink(draft);
  }
  await syncDirectory(dirname(file));
  return rootKeyFromBytes(key, options);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason';
}
