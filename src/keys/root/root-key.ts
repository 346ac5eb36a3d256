import { hkdfSync, randomBytes as nodeRandomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../store/durable-file.ts';
import { ROOT_KEY_ID_BYTES, SALT_BYTES, unwrapRecord, wrapRecord } from '../wrapped-record.ts';

const ROOT_KEY_BYTES = 32;
/** Standard base64 of 32 bytes: 43 characters and one `=`. */
const ROOT_KEY_TEXT = /^[A-Za-z0-9+/]{43}=?$/;

/** The key outside every store that wraps every record. It never leaves this object. */
export interface RootKey {
  /** A commitment to the key that reveals nothing of it: HKDF output, 24 hex digits. Stands in every record. */
  readonly id: string;
  /** Seals `plaintext` for the record `name` (docs/keys.md, "Wrapped record"). */
  wrap(name: string, plaintext: Buffer): Buffer;
  /** @throws RecordUnreadable naming the record */
  unwrap(name: string, wrapped: Buffer): Buffer;
  /** 32 bytes for a purpose of their own, of which nobody finds this key (HKDF-SHA-256, docs/keys.md). */
  derive(purpose: string): Buffer;
}

/** The configured root key cannot be used. The message names the source and never the key. */
export class RootKeyInvalid extends Error {
  constructor(source: string, reason: string) {
    super(`The root key from ${source} cannot be used: ${reason}`);
    this.name = 'RootKeyInvalid';
  }
}

const NEEDED = 'It must be 32 random bytes in base64.';

/** Anything for everybody on the machine. */
const OPEN_TO_ALL = 0o007;
/** Writing for the group. Reading is how Kubernetes gives a secret to who runs under its fsGroup (0440). */
const OPEN_TO_GROUP = 0o020;

export interface RootKeyOptions {
  /** The file may be open to everybody on the machine: all of them are trusted. Default false. */
  readonly openToAll?: boolean | undefined;
  /** Called with a sentence for the operator: the key file is open to others. */
  readonly onWarning?: (message: string) => void;
  readonly randomBytes?: (byteCount: number) => Buffer;
}

/** @throws RootKeyInvalid */
export async function rootKeyFromFile(path: string, options: RootKeyOptions = {}): Promise<RootKey> {
  const source = `the file ${path}`;
  let text: string;
  let mode: number;
  try {
    ({ mode } = await stat(path));
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new RootKeyInvalid(source, `it cannot be read (${errorCode(error)}). ${NEEDED}`);
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
  return rootKeyFromBytes(decodeRootKey(text, source), options);
}

/**
 * @param source how the message names it, `the environment variable SEALGATE_ROOT_KEY` for instance
 * @throws RootKeyInvalid
 */
export function rootKeyFromText(text: string, source = 'the environment', options: RootKeyOptions = {}): RootKey {
  return rootKeyFromBytes(decodeRootKey(text, source), options);
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

function decodeRootKey(text: string, source: string): Buffer {
  const trimmed = text.trim();
  if (trimmed === '') throw new RootKeyInvalid(source, `it is empty. ${NEEDED}`);
  const bytes = Buffer.from(trimmed, 'base64');
  if (!ROOT_KEY_TEXT.test(trimmed)) {
    const wrong = bytes.length === ROOT_KEY_BYTES ? 'it is not plain base64' : 'its length is wrong';
    throw new RootKeyInvalid(source, `${wrong}. ${NEEDED}`);
  }
  if (bytes.every((byte) => byte === 0)) throw new RootKeyInvalid(source, `every byte of it is zero. ${NEEDED}`);
  return bytes;
}

function rootKeyFromBytes(rootKey: Buffer, { randomBytes = nodeRandomBytes }: RootKeyOptions): RootKey {
  const id = Buffer.from(hkdfSync('sha256', rootKey, '', 'sealgate/root-key-id/v1', ROOT_KEY_ID_BYTES)).toString('hex');
  return {
    id,
    wrap: (name, plaintext) => wrapRecord({ rootKey, rootKeyId: id, name, plaintext, salt: randomBytes(SALT_BYTES) }),
    unwrap: (name, wrapped) => unwrapRecord({ rootKey, rootKeyId: id, name, wrapped }),
    derive: (purpose) => Buffer.from(hkdfSync('sha256', rootKey, '', purpose, ROOT_KEY_BYTES)),
  };
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason';
}
