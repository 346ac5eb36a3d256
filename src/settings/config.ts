import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { type BackendConfig, completeBackend } from '../backend/config.ts';
import { completeKeys, type KeysConfig } from '../keys/config.ts';
import { certificateProblems } from './certificates.ts';
import type { ConfigProblem } from './forms/rules.ts';
import type { HostPort } from './forms/values.ts';
import { nearestName } from './nearest-name.ts';
import { namesWithin, SETTING_ROWS } from './rows.ts';
import { find, place, SettingSources, type SettingTree } from './source.ts';
import { SETTING_RULES, type Settings, settingsSchema } from './table.ts';

export type { ConfigProblem } from './forms/rules.ts';

/**
 * The whole configuration: checked, with every default filled in, paths absolute and PEM files read. Secrets hide
 * themselves when printed.
 */
export interface Config extends Omit<Settings, 'admin' | 'workers' | 'backend' | 'keys'> {
  /** The file that it was read from; undefined if it came from environment variables alone. */
  readonly file: string | undefined;
  /** undefined if it is turned off. */
  readonly admin: HostPort | undefined;
  /** `auto` means one for each core; the caller knows how many there are. */
  readonly workers: number | 'auto';
  readonly backend: BackendConfig;
  readonly keys: KeysConfig;
}

export interface ConfigInput {
  /** The path of the YAML file. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings by dotted name, which replace those of the file and the environment: `{listen: '127.0.0.1:0'}`. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
  /** The folder that a relative `file` refers to, and relative paths if there is no file. */
  readonly cwd: string;
}

/** The configuration is wrong; `problems` holds everything that is. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(showProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Loads the configuration.
 * @throws ConfigError with every problem
 */
export function loadConfig(input: ConfigInput): Config {
  const { config, problems } = examineConfig(input);
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems);
  return config;
}

/** As much of a configuration as can be used: defaults take the place of what is wrong. */
export interface ExaminedConfig {
  /** undefined if a setting without a default is missing; the same goes for the sections. */
  readonly config: Config | undefined;
  readonly backend: BackendConfig | undefined;
  readonly keys: KeysConfig | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Reads as much as can be read, so that `sealgate check` goes on with whatever can be used. */
export function examineConfig(input: ConfigInput): ExaminedConfig {
  const problems: ConfigProblem[] = [];
  const file = input.file === undefined ? undefined : resolve(input.cwd, input.file);
  const yaml = file === undefined ? undefined : readYaml(file, problems);
  const sources = new SettingSources({
    file,
    yaml,
    folder: file === undefined ? input.cwd : dirname(file),
    env: input.env,
    overrides: input.overrides ?? {},
  });
  problems.push(...sources.problems);
  const settings = readSettings(sources, problems);
  for (const rule of SETTING_RULES) problems.push(...rule(sources));
  // If the file is missing or is not YAML, a message such as "backend.endpoint is missing" would hide what is wrong.
  if (sources.unreadable || (file !== undefined && yaml === undefined)) {
    return { ...NOTHING, problems: problems.filter((problem) => problem.setting === file) };
  }
  if (settings === undefined) return { ...NOTHING, problems };
  problems.push(...certificateProblems(settings));
  const backend = completeBackend(settings.backend);
  const keys = completeKeys(settings.keys);
  const admin = settings.admin === 'off' ? undefined : settings.admin;
  const config = backend && keys && { ...settings, file, admin, backend, keys };
  return { config, backend, keys, problems };
}

const NOTHING = { config: undefined, backend: undefined, keys: undefined } as const;

/** Renders a problem in one line. */
export function showProblem({ setting, problem, expected, hint }: ConfigProblem): string {
  const shownExpected = expected === undefined ? '' : `; expected ${expected}`;
  return `${setting}: ${problem}${shownExpected}${hint === undefined ? '' : `. ${hint}`}`;
}

function readYaml(file: string, problems: ConfigProblem[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    problems.push({ setting: file, problem: `cannot be read (${code})`, expected: 'a YAML file' });
    return undefined;
  }
}

/** Parses the settings. If some are wrong, it notes the problems, removes these settings and parses again. */
function readSettings(sources: SettingSources, problems: ConfigProblem[]): Settings | undefined {
  const first = settingsSchema.safeParse(sources.tree);
  if (first.success) return first.data;
  for (const issue of first.error.issues) {
    problems.push(...describeIssue(issue, sources));
    removeIssue(issue, sources.tree);
  }
  const second = settingsSchema.safeParse(sources.tree);
  return second.success ? second.data : undefined;
}

function describeIssue(issue: z.core.$ZodIssue, sources: SettingSources): ConfigProblem[] {
  const at = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const known = namesWithin(at);
      const meant = nearestName(key, known) ?? settingEndingWith(key);
      const setting = at === '' ? key : `${at}.${key}`;
      const others = known.length === 0 ? undefined : `Known here: ${known.join(', ')}.`;
      const hint =
        meant === undefined ? others : `Did you mean ${meant.includes('.') || at === '' ? meant : `${at}.${meant}`}?`;
      return { setting, problem: 'is no setting', hint };
    });
  }
  const row = SETTING_ROWS.find((each) => each.name === at);
  if (row === undefined) {
    return [{ setting: at, problem: 'is one value', expected: `a section with ${namesWithin(at).join(', ')}` }];
  }
  return [
    { setting: at, problem: showValue(find(sources.tree, at), row.kind, sources.isHidden(at)), expected: row.expected },
  ];
}

/** Finds a setting with this name in a section: `endpoint` at the top level most likely means `backend.endpoint`. */
function settingEndingWith(key: string): string | undefined {
  return SETTING_ROWS.find((row) => row.name.split('.').includes(key))?.name;
}

/** Says that a value is wrong, and quotes it only if it cannot be a secret. */
function showValue(value: unknown, kind: string, hidden: boolean): string {
  if (value === '') return 'is empty';
  if (hidden || kind === 'secret' || String(value).includes('@')) return 'its value does not fit';
  return `${JSON.stringify(value)} does not fit`;
}

function removeIssue(issue: z.core.$ZodIssue, tree: SettingTree): void {
  const at = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') place(tree, at, undefined);
  else for (const key of issue.keys) place(tree, at === '' ? key : `${at}.${key}`, undefined);
}
