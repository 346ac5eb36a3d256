import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isCode } from '../../keys/store/file-lock.ts';
import { keyStoreRow } from '../../keys/store/table.ts';
import type { Secret } from '../../secret.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
  UsageError,
} from '../shell/command.ts';
import { EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { withStores } from '../shell/with-stores.ts';

export const tenantWrapKey: Command = {
  usage: `tenant wrap-key NAME [options]

For a sidecar that serves this tenant alone: writes the tenant's wrap key into a file, and into Redis what a sidecar with
this key reads there. From then on every change to the tenant reaches its sidecars within a second. The key opens
everything of this tenant, and nothing of another.

      --out FILE      Write the key to this file, which must not be there yet. Without it only Redis is written, anew.
      --remove        Take from Redis what this tenant's sidecars read: they let nobody in any more.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...JSON_OPTION,
      out: { type: 'string' },
      remove: { type: 'boolean' },
    } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const name = required(positionals[0], 'NAME');
    const { out, remove = false } = values;
    if (remove && out !== undefined) throw new UsageError('--remove and --out exclude one another.');
    await withStores({ config: values.config, terminal }, async ({ sidecars }, { keys }) => {
      const { noSidecars } = keyStoreRow(keys.store);
      if (noSidecars !== undefined) throw new CommandFailed(noSidecars);
      if (keys.tenant !== undefined) throw new CommandFailed('This is a sidecar’s configuration (keys.tenant).');
      if (remove) {
        if (!(await sidecars.remove(name))) throw new CommandFailed(`There is nothing for sidecars of ${name}.`);
        return;
      }
      const key = await sidecars.create(name);
      if (out !== undefined) await writeKey(out, key, terminal);
    });
    if (values.json) terminal.print(JSON.stringify({ tenant: name, keyFile: out ?? null, removed: remove }));
    else if (remove) terminal.print(`Sidecars of tenant ${name} let nobody in any more.`);
    else
      terminal.print(
        `Sidecars of tenant ${name} have what they need${out === undefined ? '' : `; their key is in ${out}`}.`,
      );
    return EXIT_OK;
  },
};

async function writeKey(out: string, key: Secret, terminal: Terminal): Promise<void> {
  try {
    const file = await open(resolve(terminal.cwd, out), 'wx', 0o600);
    try {
      await file.writeFile(`${key.reveal()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isCode(error, 'EEXIST')) throw new CommandFailed(`The file ${out} is there already, and was left as it is.`);
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new CommandFailed(`The file ${out} cannot be written (${code}).`, { cause: error });
  }
}
