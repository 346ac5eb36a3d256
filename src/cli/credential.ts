import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
} from './command.ts';
import { GIVEN_KEY_OPTIONS, GIVEN_KEY_USAGE, printCredential, readGivenKey } from './tenant.ts';
import { EXIT_OK } from './terminal.ts';
import { textTable, textTime } from './text-table.ts';
import { withStores } from './with-stores.ts';

export const credentialAdd: Command = {
  usage: `credential add TENANT [options]

${GIVEN_KEY_USAGE}
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, ...GIVEN_KEY_OPTIONS } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const tenant = required(positionals[0], 'TENANT');
    const given = readGivenKey(values, terminal);
    const made = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.addCredential(tenant, given),
    );
    printCredential(terminal, {
      tenant,
      accessKeyId: made.accessKeyId,
      secret: made.secret,
      json: values.json === true,
    });
    return EXIT_OK;
  },
};

export const credentialRevoke: Command = {
  usage: `credential revoke ACCESS_KEY [options]\n\n${CONFIG_USAGE}\n${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, { ...CONFIG_OPTION, ...JSON_OPTION }, { most: 1 });
    const accessKeyId = required(positionals[0], 'ACCESS_KEY');
    const revoked = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.revokeCredential(accessKeyId),
    );
    if (revoked === false) throw new CommandFailed(`There is no access key ${accessKeyId}.`);
    terminal.print(values.json ? JSON.stringify({ revoked: accessKeyId }) : `Revoked ${accessKeyId}.`);
    return EXIT_OK;
  },
};

export const credentialList: Command = {
  usage: `credential list [TENANT] [options]\n\n${CONFIG_USAGE}\n${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, { ...CONFIG_OPTION, ...JSON_OPTION }, { most: 1 });
    const credentials = await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.listCredentials(positionals[0]),
    );
    const shown = credentials.map(({ tenant, accessKeyId, createdAt }) => ({ tenant, accessKeyId, createdAt }));
    if (values.json) terminal.print(JSON.stringify(shown, undefined, 2));
    else if (shown.length === 0) terminal.print('No access keys.');
    else {
      const rows = shown.map(({ tenant, accessKeyId, createdAt }) => [tenant, accessKeyId, textTime(createdAt)]);
      terminal.print(textTable(['TENANT', 'ACCESS KEY', 'CREATED'], rows));
    }
    return EXIT_OK;
  },
};
