import { SETTING_ROWS, type SettingRow } from '../../settings/rows.ts';
import { type Command, JSON_OPTION, JSON_USAGE, readArguments } from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';
import { textTable } from '../shell/text-table.ts';

export const configCommand: Command = {
  usage: `config [--markdown | --json]

      --markdown      Print docs/configuration.md.
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const { values } = readArguments(args, { ...JSON_OPTION, markdown: { type: 'boolean' } }, { most: 0 });
    if (values.json) terminal.print(JSON.stringify(SETTING_ROWS.map(forScripts), undefined, 2));
    else if (values.markdown) terminal.print(configurationPage().trimEnd());
    else terminal.print(settingsText());
    return EXIT_OK;
  },
};

function settingsText(): string {
  const rows = SETTING_ROWS.map((row) => [row.name, row.fallback ?? '-', row.about]);
  return `${textTable(['SETTING', 'DEFAULT', 'MEANING'], rows)}\n\n${RULES.map(plain).join('\n')}`;
}

function forScripts({ name, variable, expected, fallback, about }: SettingRow) {
  return { name, variable, expected, default: fallback ?? null, meaning: about };
}

const RULES: readonly string[] = [
  'Settings come from one YAML file; environment variables win over it. A setting’s variable is `SEALGATE_` and its ' +
    'name in capitals, a `_` for each dot and before each inner capital: `SEALGATE_BACKEND_CREDENTIALS_ACCESS_KEY_ID` ' +
    'for `backend.credentials.accessKeyId`. An empty variable counts as not set.',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what people write in the file
  'Any value may hold `${NAME}`, which stands for an environment variable; a plain `${` is written `$${`. A variable ' +
    'that is not set, or is empty, stops the start.',
  'A secret (and `backend.credentials.accessKeyId`) may be `file:PATH`: the file’s content, without its last line end.',
  'Relative paths count from the configuration file’s folder. An unknown setting is an error. All problems are ' +
    'reported at once.',
];

/** Returns the whole of docs/configuration.md. A test compares them. */
export function configurationPage(): string {
  return [
    '# Configuration',
    '',
    '<!-- Generated: npm run -s sealgate -- config --markdown > docs/configuration.md -->',
    '',
    ...RULES.flatMap((rule) => [rule, '']),
    '```yaml',
    EXAMPLE,
    '```',
    '',
    '`sealgate check --config sealgate.yaml` tries all of it. `sealgate config` prints the table below.',
    '',
    '| setting | expected | default | meaning |',
    '|---|---|---|---|',
    ...SETTING_ROWS.map(markdownRow),
    '',
  ].join('\n');
}

const EXAMPLE = `listen: 0.0.0.0:8000
admin: 0.0.0.0:8001
backend:
  endpoint: https://minio.internal:9000
  credentials:
    accessKeyId: sealgate
    secretAccessKey: \${MINIO_SECRET}
keys:
  root:
    file: /run/secrets/sealgate-root-key
  store:
    redis: rediss://sealgate:\${REDIS_PASSWORD}@redis.internal:6379`;

function markdownRow({ name, expected, fallback, about }: SettingRow): string {
  const cells = [`\`${name}\``, expected, fallback === undefined ? '' : `\`${fallback}\``, about];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
