import { CONFIG_OPTION, CONFIG_USAGE, type Command, JSON_OPTION, JSON_USAGE, readArguments } from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable, textTime } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';

export const keyList: Command = {
  usage: `key list [TENANT] [options]\n\n${CONFIG_USAGE}\n${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, { ...CONFIG_OPTION, ...JSON_OPTION }, { most: 1 });
    const rings = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.listKeys(positionals[0]),
    );
    const versions = rings.flatMap((ring) =>
      ring.versions.map(({ version, createdAt }) => ({
        tenant: ring.tenant,
        keyRing: ring.id,
        version,
        current: version === ring.current,
        createdAt,
      })),
    );
    if (values.json) terminal.print(JSON.stringify(versions, undefined, 2));
    else if (versions.length === 0) terminal.print('No keys.');
    else {
      const rows = versions.map(({ tenant, keyRing, version, current, createdAt }) => {
        return [tenant, keyRing, String(version), current ? 'seals and opens' : 'opens', textTime(createdAt)];
      });
      terminal.print(textTable(['TENANT', 'KEY RING', 'VERSION', 'USE', 'CREATED'], rows));
    }
    return EXIT_OK;
  },
};
