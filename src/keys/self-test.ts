import { textField } from './payload.ts';
import { parseRecordName, recordName } from './record-name.ts';
import type { RecordKind, Records } from './records.ts';
import { isKeyStoreUnavailable, RevisionConflict } from './store/record-store.ts';
import { RecordUnreadable } from './wrapped-record.ts';

export const CANARY_ID = 'root-key';
const CANARY_NAME = recordName('canary', CANARY_ID);
const READS_AT_ONCE = 32;
const PROBLEMS_SHOWN = 10;

/**
 * The record that opens under the right root key and no other, even while there is no tenant (docs/keys.md, "canary").
 */
export const CANARY: RecordKind<{ readonly createdAt: string }> = {
  name: 'canary',
  decode: (payload) => ({ createdAt: textField(payload, 'createdAt') }),
  encode: ({ createdAt }) => ({ createdAt }),
};

/** The gateway must not start. `problems` has one sentence for each record; the message shows the first ones. */
export class SelfTestFailed extends Error {
  readonly problems: readonly string[];

  constructor(summary: string, problems: readonly string[]) {
    const rest = problems.length - PROBLEMS_SHOWN;
    const lines = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `\n  - ${problem}`);
    super(`${summary}${lines.join('')}${rest > 0 ? `\n  - and ${rest} more` : ''}`);
    this.name = 'SelfTestFailed';
    this.problems = problems;
  }
}

export interface SelfTestOptions {
  readonly records: Records;
  /** Every kind of record that the gateway uses, except the canary. */
  readonly kinds: readonly RecordKind<unknown>[];
  readonly now: () => Date;
}

/**
 * Proves before the gateway serves that the root key opens every record of the store, and puts a canary into a new
 * store.
 * @returns how many records there are
 * @throws SelfTestFailed, which names the records; GatewayError KeyStoreUnavailable
 */
export async function startUpSelfTest(options: SelfTestOptions): Promise<number> {
  const { records, now } = options;
  const hasCanary = await canaryOpens(records);
  if (records.trouble !== undefined) throw new SelfTestFailed(records.trouble.message, []);
  const [names, unlisted] = [await records.names(), await records.unlisted()];
  const problems = await unreadable([...names, ...unlisted], options);
  if (problems.length > 0) {
    throw new SelfTestFailed('The key store holds records that this gateway cannot read:', problems);
  }
  if (!hasCanary) {
    try {
      await records.put(CANARY, CANARY_ID, { createdAt: now().toISOString() }, 'absent');
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error; // another worker was first
    }
    // Reading it back also proves that the store keeps what is written to it.
    if (!(await canaryOpens(records))) {
      throw new SelfTestFailed('The key store does not keep what it takes:', [
        `${CANARY_NAME} was written and is gone`,
      ]);
    }
  }
  return names.length;
}

async function canaryOpens(records: Records): Promise<boolean> {
  try {
    return (await records.read(CANARY, CANARY_ID)) !== undefined;
  } catch (error) {
    if (!(error instanceof RecordUnreadable)) throw error;
    throw new SelfTestFailed(
      'The root key does not open this key store. Is it the right root key, and the right store?',
      [error.message],
    );
  }
}

async function unreadable(names: readonly string[], options: SelfTestOptions): Promise<string[]> {
  const kinds = new Map<string, RecordKind<unknown>>([...options.kinds, CANARY].map((kind) => [kind.name, kind]));
  const problems: string[] = [];
  const rest = names.values();
  const reader = async (): Promise<void> => {
    for (const name of rest) {
      const problem = await problemOf(name, kinds, options.records);
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, reader));
  return problems.sort();
}

async function problemOf(
  name: string,
  kinds: ReadonlyMap<string, RecordKind<unknown>>,
  records: Records,
): Promise<string | undefined> {
  const parsed = parseRecordName(name);
  const kind = parsed && kinds.get(parsed.kind);
  if (kind === undefined)
    return `The record ${JSON.stringify(name)} is not one of Sealgate’s: use another key prefix or store.`;
  try {
    // A record that was put back after its removal counts as absent, and does not stop the start; one that does not
    // open does.
    if ((await records.read(kind, parsed!.id)) === undefined) await records.tryOpening(kind, parsed!.id);
    return undefined;
  } catch (error) {
    if (isKeyStoreUnavailable(error) || !(error instanceof RecordUnreadable)) throw error;
    return error.message;
  }
}
