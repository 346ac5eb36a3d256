import { hashOfKey } from '../../telemetry/key-names.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, readArguments, required } from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { withStores } from '../shell/with-stores.ts';

export const logHash: Command = {
  usage: `log hash KEY [options]

Prints the keyHash that the lines of requests for objects of this key have, in whichever bucket. It needs the root key.

${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, CONFIG_OPTION, { most: 1 });
    const key = required(positionals[0], 'KEY');
    await withStores({ config: values.config, terminal }, async ({ keyNamesSecret }) => {
      terminal.print(hashOfKey(key, keyNamesSecret));
    });
    return EXIT_OK;
  },
};
