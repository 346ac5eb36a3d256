import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeDurably } from '../store/durable-file.ts';
import { FileLock, isCode } from '../store/file-lock.ts';

const FORMAT = 'sealgate-generations';
const VERSION = 1;
const ID_BYTES = 12;
const STORE_ID = /^[0-9a-f]{24}$/;

/**
 * The file is no secret. A command that another user of the machine runs, such as root, must not leave a file that the
 * gateway cannot read.
 */
const MODE = 0o644;

type Generations = Readonly<Record<string, number>>;

/**
 * Returns an id that tells stores apart by their root key, and by their name in Redis or their file. Redis's address
 * may change.
 */
export function generationId(rootKeyId: string, place: readonly (string | number)[]): string {
  return createHash('sha256')
    .update(JSON.stringify([rootKeyId, ...place]))
    .digest()
    .toString('hex', 0, ID_BYTES);
}

export interface GenerationFileOptions {
  readonly path: string;
  /** Which store the generation is of, since several may use one file: 24 hex digits from generationId(). */
  readonly id: string;
  /** Is called once with a sentence for the operator if the file cannot be read or written. */
  readonly onWarning: (message: string) => void;
}

/**
 * Remembers the highest generation of a key store that was ever seen on this machine, in a file beside the gateway. The
 * next start therefore notices a store that was put back while no gateway ran. All processes of a machine share the
 * file.
 */
export class HighestGeneration {
  readonly #options: GenerationFileOptions;
  readonly #lock: FileLock;
  #value: number;
  #written: number;
  #writing: Promise<void> = Promise.resolve();
  #warned = false;

  private constructor(options: GenerationFileOptions, value: number) {
    this.#options = options;
    this.#lock = new FileLock(`${options.path}.lock`);
    this.#value = value;
    this.#written = value;
  }

  /**
   * Reads the file. A file that this process may not read counts as empty, because whoever can write to the key store
   * cannot cause that.
   * @throws Error if there is a file that cannot be read for another reason, or that Sealgate did not write
   */
  static async open(options: GenerationFileOptions): Promise<HighestGeneration> {
    try {
      const generations = await readGenerations(options.path);
      return new HighestGeneration(options, generations[options.id] ?? 0);
    } catch (error) {
      if (!(error instanceof Error) || !isCode(error.cause, 'EACCES')) throw error;
      const highest = new HighestGeneration(options, 0);
      highest.#warn(error);
      return highest;
    }
  }

  /** The highest generation that was seen; 0 if none was. */
  get value(): number {
    return this.#value;
  }

  /** Must be called when a generation was seen. A higher one is written to the file; a lower one changes nothing. */
  raise(generation: number): void {
    if (generation <= this.#value) return;
    this.#value = generation;
    this.#writing = this.#writing.then(() => this.#write());
  }

  /** Resolves when what was raised is in the file, or when writing it has failed. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { path, id } = this.#options;
    const generation = this.#value;
    if (generation <= this.#written) return; // several were raised while one was written
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await this.#lock.hold(async (stillHeld) => {
        const held = await readGenerations(path);
        if ((held[id] ?? 0) >= generation) return;
        const generations = { ...held, [id]: generation };
        await writeDurably({
          path,
          text: `${JSON.stringify({ format: FORMAT, version: VERSION, generations })}\n`,
          draftSuffix: `${randomBytes(6).toString('hex')}.draft`,
          mode: MODE,
          beforeReplace: stillHeld,
        });
      });
      this.#written = generation;
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const reason = error instanceof Error ? ((error.cause as Error | undefined) ?? error).message : String(error);
    const { path, onWarning } = this.#options;
    onWarning(
      `The highest generation of the key store cannot be kept in ${path} (${reason}): a store that is put back while ` +
        'no gateway runs will not be noticed. Choose another place with keys.generationFile, or off.',
    );
  }
}

async function readGenerations(path: string): Promise<Generations> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return {};
    throw new Error(`The file ${path} (keys.generationFile) cannot be read.`, { cause: error });
  }
  try {
    const { format, version, generations } = JSON.parse(text) as Record<string, unknown>;
    if (format !== FORMAT || version !== VERSION) throw new Error('another format');
    const entries = Object.entries(generations as object);
    if (!entries.every(([id, value]) => STORE_ID.test(id) && Number.isSafeInteger(value)))
      throw new Error('bad entries');
    return Object.fromEntries(entries);
  } catch (error) {
    throw new Error(`The file ${path} (keys.generationFile) is not one that Sealgate wrote.`, { cause: error });
  }
}
