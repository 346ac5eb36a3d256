import {
  BACKEND_KEY_OPTIONS,
  BACKEND_KEY_USAGE,
  GIVEN_KEY_OPTIONS,
  GIVEN_KEY_USAGE,
  NO_BACKEND_KEY_OPTION,
  NO_BACKEND_KEY_USAGE,
  readBackendKey,
  readGivenKey,
} from '../key/key-options.ts';
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
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable, textTime } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import { printCredential } from './tenant.ts';

export const credentialAdd: Command = {
  usage: `credential add TENANT [options]

${GIVEN_KEY_USAGE}
${BACKEND_KEY_USAGE}
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, ...GIVEN_KEY_OPTIONS, ...BACKEND_KEY_OPTIONS } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const tenant = required(positionals[0], 'TENANT');
    const given = { ...readGivenKey(values, terminal), backend: readBackendKey(values, terminal) };
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

export const credentialSet: Command = {
  usage: `credential set ACCESS_KEY [options]

Changes the backend access key that an access key's requests use; the access key and its secret stay.

${BACKEND_KEY_USAGE}
${NO_BACKEND_KEY_USAGE}
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, ...BACKEND_KEY_OPTIONS, ...NO_BACKEND_KEY_OPTION } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const accessKeyId = required(positionals[0], 'ACCESS_KEY');
    const backend = readBackendKey(values, terminal);
    if (backend === undefined) {
      throw new UsageError('Nothing to change: give --backend-access-key or --no-backend-key.');
    }
    await withStores({ config: values.config, terminal }, ({ administration }) =>
      administration.changeCredential(accessKeyId, { backend }),
    );
    const shown = backend?.accessKeyId ?? null;
    const described = shown === null ? 'no backend access key of its own' : `the backend access key ${shown}`;
    if (values.json) terminal.print(JSON.stringify({ accessKeyId, backendAccessKeyId: shown }));
    else terminal.print(`Access key ${accessKeyId} now has ${described}.`);
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
    if (values.json) {
      const shown = credentials.map((each) => ({ ...each, backendAccessKeyId: each.backendAccessKeyId ?? null }));
      terminal.print(JSON.stringify(shown, undefined, 2));
    } else if (credentials.length === 0) terminal.print('No access keys.');
    else {
      const rows = credentials.map(({ tenant, accessKeyId, createdAt, backendAccessKeyId }) => [
        tenant,
        accessKeyId,
        textTime(createdAt),
        backendAccessKeyId ?? '-',
      ]);
      terminal.print(textTable(['TENANT', 'ACCESS KEY', 'CREATED', 'BACKEND KEY'], rows));
    }
    return EXIT_OK;
  },
};
