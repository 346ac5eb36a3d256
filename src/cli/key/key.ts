import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
} from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable, textTime } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';

export const keyAdd: Command = {
  usage: `key add TENANT --name NAME [options]

Gives a tenant a named key. Its clients ask for it by NAME, alias/NAME, or an ARN that ends in key/NAME or alias/NAME
(S3's SSE-KMS); every gateway knows it within a second. Objects that are there already stay under their keys.

      --name NAME     1 to 128 letters, digits, slashes, hyphens and underscores; not alias/… or aws/….
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, name: { type: 'string' } } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const tenant = required(positionals[0], 'TENANT');
    const name = required(values.name, '--name NAME');
    const ring = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.addKey(tenant, name),
    );
    const { id: keyRing, current: version } = ring;
    if (values.json) terminal.print(JSON.stringify({ tenant, name, keyRing, version }));
    else terminal.print(`Added the key ${name} to tenant ${tenant}: key ring ${keyRing}.`);
    return EXIT_OK;
  },
};

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
        name: ring.name,
        keyRing: ring.id,
        version,
        current: version === ring.current,
        createdAt,
      })),
    );
    if (values.json) terminal.print(JSON.stringify(versions, undefined, 2));
    else if (versions.length === 0) terminal.print('No keys.');
    else {
      const rows = versions.map(({ tenant, name = '(default)', keyRing, version, current, createdAt }) => {
        return [tenant, name, keyRing, String(version), current ? 'seals and opens' : 'opens', textTime(createdAt)];
      });
      terminal.print(textTable(['TENANT', 'NAME', 'KEY RING', 'VERSION', 'USE', 'CREATED'], rows));
    }
    return EXIT_OK;
  },
};
