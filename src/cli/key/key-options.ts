import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Secret } from '../../secret.ts';
import type { BackendKey } from '../../tenants/backend-key.ts';
import { CommandFailed, UsageError } from '../shell/command.ts';
import type { Terminal } from '../shell/terminal.ts';

/** Secrets are read from files, because others can read command lines. */

/** Options for access keys that applications have already, so that nothing changes for them in a migration. */
export const GIVEN_KEY_OPTIONS = { 'access-key': { type: 'string' }, 'secret-file': { type: 'string' } } as const;

export const GIVEN_KEY_USAGE = `      --access-key AK Use this access key instead of a new one. Needs --secret-file.
      --secret-file F The file that holds its secret (a file, because others can read command lines).`;

/** Options for a key of the store itself, whose users and policies decide about requests with that key. */
export const BACKEND_KEY_OPTIONS = {
  'backend-access-key': { type: 'string' },
  'backend-secret-file': { type: 'string' },
} as const;

export const BACKEND_KEY_USAGE = `      --backend-access-key ID   Requests go to the backend with this access key of the backend's own: its users, policies
                      and ACLs decide. Without it: the tenant's, else the gateway's. Needs --backend-secret-file.
      --backend-secret-file F   The file that holds its secret.`;

export const NO_BACKEND_KEY_OPTION = { 'no-backend-key': { type: 'boolean' } } as const;

export const NO_BACKEND_KEY_USAGE = '      --no-backend-key          Take the backend access key away.';

/**
 * Reads the access key and the secret that were given.
 * @throws UsageError if one of the two is missing, CommandFailed if the file cannot be used
 */
export function readGivenKey(
  values: { readonly 'access-key'?: string | undefined; readonly 'secret-file'?: string | undefined },
  terminal: Terminal,
): { accessKeyId?: string; secret?: Secret } {
  return readPair(values, { key: 'access-key', file: 'secret-file' }, terminal) ?? {};
}

/**
 * Reads the backend key that was given.
 * @returns null if it is to be taken away, undefined if no option mentions it
 * @throws UsageError, CommandFailed
 */
export function readBackendKey(
  values: {
    readonly 'backend-access-key'?: string | undefined;
    readonly 'backend-secret-file'?: string | undefined;
    readonly 'no-backend-key'?: boolean | undefined;
  },
  terminal: Terminal,
): BackendKey | null | undefined {
  const { 'no-backend-key': none, ...given } = values;
  const key = readPair(given, { key: 'backend-access-key', file: 'backend-secret-file' }, terminal);
  if (none !== true) return key;
  if (key !== undefined) throw new UsageError('--no-backend-key and --backend-access-key exclude one another.');
  return null;
}

function readPair<K extends string, F extends string>(
  values: { readonly [name in K | F]?: string | undefined },
  names: { readonly key: K; readonly file: F },
  terminal: Terminal,
): { accessKeyId: string; secret: Secret } | undefined {
  const accessKeyId = values[names.key];
  const file = values[names.file];
  if (accessKeyId === undefined && file === undefined) return undefined;
  if (accessKeyId === undefined) throw new UsageError(`--${names.file} needs --${names.key}.`);
  if (file === undefined) throw new UsageError(`--${names.key} needs --${names.file}.`);
  return { accessKeyId, secret: readSecretFile(file, terminal) };
}

function readSecretFile(file: string, terminal: Terminal): Secret {
  let text: string;
  try {
    text = readFileSync(resolve(terminal.cwd, file), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CommandFailed(`The secret file ${file} cannot be read (${code}).`);
  }
  if (text === '') throw new CommandFailed(`The secret file ${file} is empty.`);
  return new Secret(text);
}
