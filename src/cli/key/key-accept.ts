import { openGenerations, openRootKey } from '../../gateway/open-stores.ts';
import { type Acceptance, examineStore } from '../../keys/ledger/accept-store.ts';
import type { RecordStore } from '../../keys/store/record-store.ts';
import { openRecordStore } from '../../keys/store/table.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, JSON_OPTION, JSON_USAGE, readArguments } from '../shell/command.ts';
import { commandConfig } from '../shell/config-file.ts';
import { confirm } from '../shell/confirm.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { withStores } from '../shell/with-stores.ts';

export const keyAcceptGeneration: Command = {
  usage: `key accept-generation [options]

For an owner who put the key store back, from a backup say: makes all of it count as it is now, the access keys that
were revoked since and the policies of then included. Gateways that run take it within a second. To remove one record
that somebody else put back, revoke or remove what it stands for instead.

  -y, --yes           Do not ask.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, yes: { type: 'boolean', short: 'y' } } as const;
    const { values } = readArguments(args, options, { most: 0 });
    const { keys } = commandConfig(values.config, terminal);
    const onWarning = (message: string) => terminal.warn(message);
    const { rootKey, provider } = await openRootKey(keys, onWarning);
    let store: RecordStore | undefined;
    try {
      const highest = await openGenerations(keys, rootKey, onWarning);
      store = await openRecordStore(keys.store);
      const found = await examineStore({ store, rootKey, highest, now: () => terminal.now() });
      if (values.yes !== true) await confirm(terminal, question(found), 'Nothing was accepted.');
      const generation = await found.accept();
      const { records, different } = found;
      if (values.json) terminal.print(JSON.stringify({ generation, records, different }));
      else terminal.print(`Accepted: the key store’s ${records} records, as generation ${generation}.`);
    } finally {
      await store?.close();
      await provider.close();
    }
    // The views of sidecars must be newer than those that the sidecars saw.
    await withStores({ config: values.config, terminal }, async ({ administration, sidecars }) => {
      for (const { name } of await administration.listTenants()) await sidecars.publish(name);
    });
    return EXIT_OK;
  },
};

function question({ generation, records, different }: Acceptance): string {
  const state = generation === undefined ? 'a generation that cannot be read' : `generation ${generation}`;
  const lines = different.map(({ name, how }) => `  ${name} ${how}`);
  const changed = different.length === 0 ? [] : ['These are not what Sealgate last wrote:', ...lines];
  return [
    `The key store is of ${state} and has ${records} records.`,
    ...changed,
    'Make all of it count as it is now?',
  ].join('\n');
}
