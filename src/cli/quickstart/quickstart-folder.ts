import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateRootKeyFile } from '../../keys/root/file.ts';
import { CommandFailed } from '../shell/command.ts';

/** The content of DIR/connection.json, which other programs read to find a quickstart. */
export interface Connection {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
  /** The folder in which the embedded store keeps what the gateway sealed. */
  readonly storeDirectory: string;
  readonly admin: string;
}

const CONFIGURATION = `# Written by quickstart at its first start; yours to change. Paths count from this folder.
# For trying, not for production: \`sealgate config\` lists every setting.
listen: 127.0.0.1:8000
admin: 127.0.0.1:8001
workers: 1
backend:
  directory: objects
keys:
  root:
    file: root.key
  store:
    file: keys.json
log:
  format: text
`;

const REACH_MILLISECONDS = 1000;

/** Why a folder cannot be used, in words, by the code of the error. */
const UNUSABLE: Readonly<Record<string, string>> = {
  EACCES: 'it may not be written to by you',
  EPERM: 'it may not be written to by you',
  EROFS: 'it is on a read-only disk',
  EEXIST: 'it is a file',
  ENOTDIR: 'a part of its path is a file',
  ENOSPC: 'its disk is full',
};

/** The folder that holds everything of a quickstart: root key, wrapped keys, objects, configuration. */
export class QuickstartFolder {
  readonly path: string;
  readonly configFile: string;
  readonly storeDirectory: string;
  readonly #connectionFile: string;

  constructor(path: string) {
    this.path = path;
    this.configFile = join(path, 'sealgate.yaml');
    this.storeDirectory = join(path, 'objects');
    this.#connectionFile = join(path, 'connection.json');
  }

  /**
   * Makes what is missing. It removes the connection.json of an earlier run, so that programs which wait for that file
   * do not find an old one.
   * @returns whether this is the first start
   * @throws CommandFailed if the folder cannot be used, or has keys whose root key is gone
   */
  async prepare(): Promise<boolean> {
    try {
      return await this.#fill();
    } catch (error) {
      const why = UNUSABLE[(error as NodeJS.ErrnoException).code ?? ''];
      if (why === undefined) throw error;
      const { message } = error as Error;
      throw new CommandFailed(
        `The folder ${this.path} cannot be used: ${why} (${message}). Choose another: --data DIR.`,
      );
    }
  }

  async #fill(): Promise<boolean> {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    await this.#refuseCompany();
    this.forgetConnection();
    if (!existsSync(this.configFile)) writeFileSync(this.configFile, CONFIGURATION, { mode: 0o600 });
    const rootKeyFile = join(this.path, 'root.key');
    if (existsSync(rootKeyFile)) return false;
    if (existsSync(join(this.path, 'keys.json'))) {
      throw new CommandFailed(
        `${this.path} has keys, but their root key ${rootKeyFile} is gone, and only it opens them. ` +
          'Put it back, or start with another folder: --data DIR.',
      );
    }
    await generateRootKeyFile(rootKeyFile);
    return true;
  }

  /**
   * Refuses to start a second quickstart in this folder. Both would share one embedded store, which ends with the first
   * of them.
   */
  async #refuseCompany(): Promise<void> {
    const endpoint = this.#announcedEndpoint();
    if (endpoint === undefined || !(await refusesStrangers(endpoint))) return;
    throw new CommandFailed(
      `A quickstart runs in ${this.path} already, at ${endpoint}. Use that one, stop it, or choose another ` +
        `folder: --data DIR.`,
    );
  }

  #announcedEndpoint(): string | undefined {
    try {
      return (JSON.parse(readFileSync(this.#connectionFile, 'utf8')) as Connection).endpoint;
    } catch {
      return undefined; // there is none, or it is not whole
    }
  }

  /** Writes the connection file. It appears whole, and only its owner can read it, because it holds a secret. */
  announce(connection: Connection): void {
    const draft = `${this.#connectionFile}.new`;
    rmSync(draft, { force: true });
    writeFileSync(draft, `${JSON.stringify(connection, undefined, 2)}\n`, { mode: 0o600 });
    chmodSync(draft, 0o600);
    renameSync(draft, this.#connectionFile);
  }

  /** Removes the connection file, which means that a gateway is ready, because none is any more. */
  forgetConnection(): void {
    rmSync(this.#connectionFile, { force: true });
  }
}

/**
 * Whether a gateway answers at the address: it refuses unsigned requests. If the gateway was killed, nobody answers.
 */
async function refusesStrangers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(endpoint, { signal: AbortSignal.timeout(REACH_MILLISECONDS) });
    await response.arrayBuffer();
    return response.status === 403;
  } catch {
    return false;
  }
}
