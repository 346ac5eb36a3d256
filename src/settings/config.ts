import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import type { Secret } from '../keys/secret.ts';
import type { RedisStoreConfig } from '../keys/store/redis-address.ts';
import { certificateProblems } from './certificates.ts';
import type { HostPort } from './forms.ts';
import { nearestName } from './nearest-name.ts';
import { namesWithin, SETTING_ROWS } from './rows.ts';
import { type ConfigProblem, find, place, SettingSources, type SettingTree } from './source.ts';
import { type Settings, settingsSchema } from './table.ts';

export type { ConfigProblem } from './source.ts';

/** The whole configuration: checked, every default filled in, paths absolute, PEM files read. Secrets redact themselves. */
export interface Config extends Omit<Settings, 'admin' | 'workers' | 'backend' | 'keys'> {
  /** Where it was read from; undefined when environment variables alone made it. */
  readonly file: string | undefined;
  /** undefined when turned off. */
  readonly admin: HostPort | undefined;
  /** `auto` is one per core: the caller knows how many there are. */
  readonly workers: number | 'auto';
  readonly backend: BackendConfig;
  readonly keys: KeysConfig;
}

export interface BackendConfig extends Omit<Settings['backend'], 'endpoint' | 'directory' | 'credentials'> {
  readonly place: BackendPlace;
}

export type BackendPlace =
  | {
      readonly kind: 'endpoint';
      readonly endpoint: URL;
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
    }
  /** The embedded store, in this folder. */
  | { readonly kind: 'directory'; readonly directory: string };

export interface KeysConfig {
  readonly root: RootKeyPlace;
  /** A sidecar's: `root` is this tenant's wrap key. */
  readonly tenant: string | undefined;
  readonly store: KeyStorePlace;
  readonly cache: Settings['keys']['cache'];
  /** Where the highest generation of the store is kept; undefined: nowhere. */
  readonly generationFile: string | undefined;
}

export type RootKeyPlace =
  | { readonly kind: 'file'; readonly path: string; readonly openToAll: boolean }
  /** The variable's content, and how a message names where it came from. */
  | { readonly kind: 'env'; readonly key: Secret; readonly source: string };

export type KeyStorePlace = { readonly kind: 'file'; readonly path: string } | RedisPlace;

/** As the key store's opener takes it, but for the URL, which must not be printed. */
export interface RedisPlace extends Omit<RedisStoreConfig, 'url'> {
  readonly url: Secret;
}

export interface ConfigInput {
  /** Path of the YAML file. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings by dotted name that win over file and environment: `{listen: '127.0.0.1:0'}`. */
  readonly overrides?: Readonly<Record<string, unknown>> | undefined;
  /** Where a relative `file`, and relative paths without a file, count from. */
  readonly cwd: string;
}

/** Everything that is wrong, at once. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(showProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws ConfigError with every problem */
export function loadConfig(input: ConfigInput): Config {
  const { config, problems } = examineConfig(input);
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems);
  return config;
}

/** A configuration as far as it can be used: defaults stand in for what is wrong. */
export interface ExaminedConfig {
  /** undefined when something that has no default is missing; so are the sections. */
  readonly config: Config | undefined;
  readonly backend: BackendConfig | undefined;
  readonly keys: KeysConfig | undefined;
  readonly problems: readonly ConfigProblem[];
}

/** Reads as much as can be read, for `sealgate check`, which goes on where it can. */
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
  problems.push(...contradictions(sources));
  // With the file itself gone or no YAML, "backend.endpoint is missing" would only hide what is wrong.
  if (sources.unreadable || (file !== undefined && yaml === undefined)) {
    return { ...NOTHING, problems: problems.filter((problem) => problem.setting === file) };
  }
  if (settings === undefined) return { ...NOTHING, problems };
  problems.push(...certificateProblems(settings));
  const backend = completeBackend(settings);
  const keys = completeKeys(settings, sources.rootKeySource);
  const admin = settings.admin === 'off' ? undefined : settings.admin;
  const config = backend && keys && { ...settings, file, admin, backend, keys };
  return { config, backend, keys, problems };
}

const NOTHING = { config: undefined, backend: undefined, keys: undefined } as const;

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

/** Parses; on problems notes them, takes the bad settings out and parses again. */
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
      const meant = nearestName(key, namesWithin(at)) ?? settingEndingWith(key);
      const setting = at === '' ? key : `${at}.${key}`;
      return {
        setting,
        problem: 'is no setting',
        hint:
          meant === undefined
            ? `Known here: ${namesWithin(at).join(', ')}.`
            : `Did you mean ${meant.includes('.') || at === '' ? meant : `${at}.${meant}`}?`,
      };
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

/** `endpoint` at the top level is most likely `backend.endpoint`. */
function settingEndingWith(key: string): string | undefined {
  return SETTING_ROWS.find((row) => row.name.split('.').includes(key))?.name;
}

/** Quotes a wrong value only where it cannot be a secret. */
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

/** What no single setting shows: alternatives, companions, things that exclude one another. */
function contradictions(sources: SettingSources): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const given = (name: string): boolean => sources.isGiven(name);
  const oneOf = (left: string, right: string, hint: string): void => {
    if (given(left) === given(right)) {
      const problem = given(left) ? `excludes ${right}` : 'is missing';
      problems.push({ setting: left, problem, expected: `one of ${left} and ${right}`, hint });
    }
  };
  const companions = (...names: readonly string[]): void => {
    const present = names.filter(given);
    for (const name of present.length === 0 ? [] : names.filter((each) => !given(each))) {
      problems.push({ setting: name, problem: 'is missing', hint: `${present[0]} needs it.` });
    }
  };
  oneOf('backend.endpoint', 'backend.directory', 'Say where the objects are stored.');
  oneOf('keys.root.file', 'keys.root.env', 'Make a key with: openssl rand -base64 32');
  oneOf('keys.store.redis', 'keys.store.file', 'Say where wrapped keys are stored.');
  if (given('keys.tenant') && given('keys.store.file')) {
    const hint = 'A sidecar reads its tenant’s records from Redis.';
    problems.push({ setting: 'keys.tenant', problem: 'excludes keys.store.file', expected: 'keys.store.redis', hint });
  }
  companions('tls.cert', 'tls.key');
  companions('backend.tls.cert', 'backend.tls.key');
  companions('keys.store.tls.cert', 'keys.store.tls.key');
  if (given('backend.endpoint')) {
    for (const name of ['backend.credentials.accessKeyId', 'backend.credentials.secretAccessKey']) {
      if (!given(name)) problems.push({ setting: name, problem: 'is missing', hint: 'backend.endpoint needs it.' });
    }
  }
  problems.push(...tlsWithoutTls(sources), ...sameAddress(sources));
  return problems;
}

/** Certificates for a connection that would be in the clear: somebody believes it is not. */
function tlsWithoutTls(sources: SettingSources): ConfigProblem[] {
  const endpoint = find(sources.tree, 'backend.endpoint');
  const used = ['ca', 'cert', 'key'].some((name) => sources.isGiven(`backend.tls.${name}`));
  if (!used || typeof endpoint !== 'string' || endpoint.startsWith('https:')) return [];
  return [{ setting: 'backend.tls', problem: 'is set, but backend.endpoint is not TLS', expected: 'https://…' }];
}

function sameAddress(sources: SettingSources): ConfigProblem[] {
  const listen = find(sources.tree, 'listen');
  if (typeof listen !== 'string' || listen.endsWith(':0') || listen !== find(sources.tree, 'admin')) return [];
  return [{ setting: 'admin', problem: 'is the same address as listen' }];
}

function completeBackend({ backend }: Settings): BackendConfig | undefined {
  const { endpoint, directory, credentials, ...rest } = backend;
  const at = placeOfBackend({ endpoint, directory, ...credentials });
  return at && { ...rest, place: at };
}

function completeKeys({ keys }: Settings, rootKeySource: string): KeysConfig | undefined {
  const { file, env, openToAll } = keys.root;
  const store = placeOfKeyStore(keys.store);
  if (store === undefined) return undefined;
  const beside = file ?? (store.kind === 'file' ? store.path : undefined);
  const given = keys.generationFile ?? (beside === undefined ? 'off' : `${beside}.generation`);
  const rest = { tenant: keys.tenant, store, cache: keys.cache, generationFile: given === 'off' ? undefined : given };
  if (file !== undefined) return { root: { kind: 'file', path: file, openToAll }, ...rest };
  return env && { root: { kind: 'env', key: env, source: rootKeySource }, ...rest };
}

function placeOfBackend(given: {
  readonly endpoint: URL | undefined;
  readonly directory: string | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: Secret | undefined;
}): BackendPlace | undefined {
  const { endpoint, directory, accessKeyId, secretAccessKey } = given;
  if (directory !== undefined) return { kind: 'directory', directory };
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { kind: 'endpoint', endpoint, accessKeyId, secretAccessKey };
}

function placeOfKeyStore(store: Settings['keys']['store']): KeyStorePlace | undefined {
  const { file, redis, tls, connectSeconds, commandSeconds, ...rest } = store;
  if (file !== undefined) return { kind: 'file', path: file };
  if (redis === undefined) return undefined;
  return {
    ...rest,
    kind: 'redis',
    url: redis,
    connectTimeoutSeconds: connectSeconds,
    commandTimeoutSeconds: commandSeconds,
    // Its presence turns TLS on.
    ...(Object.values(tls).some((value) => value !== undefined) && { tls }),
  };
}
