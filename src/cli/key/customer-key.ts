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
import { readCustomerKeyFile } from './customer-key-file.ts';

export const customerKeyAdd: Command = {
  usage: `customer-key add TENANT --key-file FILE [options]

Registers a key that a tenant's clients send with their requests (S3's SSE-C). Buckets for which a rule says
customerKeys: registered take these keys only. The key itself is kept nowhere: what is kept is a fingerprint under the
tenant's own key, against which nobody can try a guess.

      --key-file FILE The file that holds the key: 32 bytes, or these in base64. It must be closed to everybody else.
      --label TEXT    What the key is called in lists.
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const text = { type: 'string' } as const;
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, 'key-file': text, label: text } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const tenant = required(positionals[0], 'TENANT');
    const key = readCustomerKeyFile(required(values['key-file'], '--key-file FILE'), terminal);
    try {
      const { fingerprint } = await withStores({ config: values.config, terminal }, ({ registeredKeys }) =>
        registeredKeys.add(tenant, key, values.label ?? ''),
      );
      if (values.json) terminal.print(JSON.stringify({ tenant, fingerprint }));
      else terminal.print(`Registered for tenant ${tenant}: ${fingerprint}.`);
      return EXIT_OK;
    } finally {
      key.fill(0);
    }
  },
};

export const customerKeyList: Command = {
  usage: `customer-key list TENANT [options]\n\n${CONFIG_USAGE}\n${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, { ...CONFIG_OPTION, ...JSON_OPTION }, { most: 1 });
    const tenant = required(positionals[0], 'TENANT');
    const keys = await withStores({ config: values.config, terminal }, ({ registeredKeys }) =>
      registeredKeys.list(tenant),
    );
    if (values.json) terminal.print(JSON.stringify(keys, undefined, 2));
    else if (keys.length === 0) terminal.print(`Tenant ${tenant} has registered no customer keys.`);
    else {
      const rows = keys.map(({ fingerprint, label, createdAt }) => [fingerprint, textTime(createdAt), label || '-']);
      terminal.print(textTable(['FINGERPRINT', 'REGISTERED', 'LABEL'], rows));
    }
    return EXIT_OK;
  },
};

export const customerKeyRemove: Command = {
  usage: `customer-key remove TENANT FINGERPRINT [options]

Forgets a registered key: nothing is written under it any more. What is sealed under it stays readable by it.

${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArguments(args, CONFIG_OPTION, { most: 2 });
    const tenant = required(positionals[0], 'TENANT');
    const fingerprint = required(positionals[1], 'FINGERPRINT');
    await withStores({ config: values.config, terminal }, ({ registeredKeys }) =>
      registeredKeys.remove(tenant, fingerprint),
    );
    terminal.print(`Tenant ${tenant} has forgotten the key ${fingerprint}.`);
    return EXIT_OK;
  },
};
