import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument, type YAMLError } from 'yaml';
import { Secret } from '../secret.ts';
import type { ConfigProblem, GivenSettings } from './forms/rules.ts';
import { VariableContent } from './forms/values.ts';
import { editDistance, nearestName } from './nearest-name.ts';
import { SETTING_ROWS, type SettingRow } from './rows.ts';

/** Settings as nested sections, by the parts of their dotted names. */
export interface SettingTree {
  [key: string]: unknown;
}

/** Everything that a configuration is read from. */
export interface ConfigSource {
  /** The path of the YAML file; without one, the configuration comes from environment variables alone. */
  readonly file: string | undefined;
  readonly yaml: string | undefined;
  /** The folder that relative paths refer to, which is the file's. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Settings from the command line, by dotted name. They replace all others. */
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** Combines the file, the environment and the overrides, fills in `${NAME}`, and reads the files that settings name. */
export class SettingSources implements GivenSettings {
  readonly tree: SettingTree;
  readonly problems: ConfigProblem[] = [];
  /** Settings whose value came from the environment or a file. It may be a secret, so no message shows it. */
  readonly #hidden = new Set<string>();
  /** Whether the file is not YAML, so that missing settings are not reported. */
  unreadable = false;
  /** Settings that were given, even with a wrong value. */
  readonly #given = new Set<string>();
  readonly #referenced = new Set<string>();
  readonly #source: ConfigSource;

  constructor(source: ConfigSource) {
    this.#source = source;
    this.tree = this.#readYaml();
    this.#layEnvironment();
    for (const [name, value] of Object.entries(source.overrides)) place(this.tree, name, value);
    this.#fillIn(this.tree, '');
    for (const row of SETTING_ROWS) this.#treat(row);
    this.#findMistypedVariables();
  }

  /** Whether the setting, or any setting in the section, was given. */
  isGiven(setting: string): boolean {
    if (this.#given.has(setting)) return true;
    const within = `${setting}.`;
    for (const name of this.#given) if (name.startsWith(within)) return true;
    return false;
  }

  value(setting: string): unknown {
    return find(this.tree, setting);
  }

  /** Whether the setting's value may be a secret, which no message may quote. */
  isHidden(setting: string): boolean {
    return this.#hidden.has(setting);
  }

  #readYaml(): SettingTree {
    const { yaml, file } = this.#source;
    if (yaml === undefined || file === undefined) return {};
    const document = parseDocument(yaml, { prettyErrors: false });
    // After the first syntax error, the parser's further errors only repeat it.
    const slip = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
    for (const error of document.errors) {
      if (error !== slip && error.code !== 'DUPLICATE_KEY') continue;
      this.problems.push(describeYamlError(error, { file, yaml }));
    }
    if (slip !== undefined) {
      this.unreadable = true;
      return {};
    }
    const content: unknown = withoutNulls(document.toJS());
    if (content === undefined) return {};
    if (isTree(content)) return content;
    this.unreadable = true;
    this.problems.push({
      setting: file,
      problem: 'is not a mapping',
      expected: 'lines such as `listen: 0.0.0.0:8000`',
    });
    return {};
  }

  #layEnvironment(): void {
    for (const row of SETTING_ROWS) {
      const value = this.#source.env[row.variable];
      // Compose files pass an empty text for a variable that is not set.
      if (value === undefined || value === '') continue;
      if (place(this.tree, row.name, value) && row.kind === 'variable') this.#hidden.add(row.name);
    }
  }

  /** Replaces `${NAME}` in every text below; `$${` becomes a plain `${`. */
  #fillIn(node: unknown, name: string): unknown {
    if (typeof node === 'string') return this.#fillInText(node, name);
    if (Array.isArray(node)) return node.map((item) => this.#fillIn(item, name));
    if (!isTree(node)) return node;
    for (const [key, value] of Object.entries(node)) {
      const filled = this.#fillIn(value, name === '' ? key : `${name}.${key}`);
      if (filled === undefined) delete node[key];
      else node[key] = filled;
    }
    return node;
  }

  #fillInText(template: string, name: string): string | undefined {
    let failed = false;
    const filled = template.replace(/\$\$\{|\$\{([^}]*)\}/g, (whole, variable: string | undefined) => {
      if (variable === undefined) return '${';
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)) {
        failed = true;
        this.problems.push({
          setting: name,
          problem: `${whole} is no variable`,
          expected: 'letters, digits and _ between the braces',
          hint: 'A plain $ before a brace is written $$.',
        });
        return '';
      }
      this.#hidden.add(name);
      this.#referenced.add(variable);
      const value = this.#source.env[variable];
      if (value !== undefined && value !== '') return value;
      failed = true;
      this.problems.push({
        setting: name,
        problem: `the environment variable ${variable} is ${value === '' ? 'empty' : 'not set'}`,
        hint: `Set ${variable} before the start.`,
      });
      return '';
    });
    if (!failed) return filled;
    this.#given.add(name);
    return undefined;
  }

  /** Prepares a setting as its kind says (SettingKind), before its form reads it. */
  #treat(row: SettingRow): void {
    const value = find(this.tree, row.name);
    if (value === undefined) return;
    this.#given.add(row.name);
    if (typeof value !== 'string' || value === '') return;
    const { folder } = this.#source;
    const isPath = row.kind === 'path' && !(value === 'off' && row.expected.endsWith('off'));
    if (isPath) place(this.tree, row.name, resolve(folder, value));
    if (row.kind === 'pem') this.#placeFile(row, resolve(folder, value));
    if (row.kind === 'secret' && value.startsWith('file:')) {
      this.#placeFile(row, resolve(folder, value.slice('file:'.length).replace(/^\/\/(?=\/)/, '')));
    }
    if (row.kind === 'variable') this.#placeKey(row, value);
  }

  #placeFile(row: SettingRow, path: string): void {
    this.#hidden.add(row.name);
    try {
      place(this.tree, row.name, readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
    } catch (error) {
      place(this.tree, row.name, undefined);
      this.problems.push({
        setting: row.name,
        problem: `the file ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
        expected: row.expected,
      });
    }
  }

  /**
   * Puts a key in place of the name of its variable. A setting of kind `variable` names an environment variable that
   * holds a key (`keys.root.env: NAME`). `${NAME}` has become the key already, and is accepted too. A key that is
   * written into the file itself is refused, because files get copied and committed.
   */
  #placeKey(row: SettingRow, value: string): void {
    const known = this.#source.env[value];
    this.#referenced.add(value);
    const looksLikeKey = Buffer.from(value, 'base64').length === 32 && /^[A-Za-z0-9+/_-]{43}=?$/.test(value);
    const key = known ?? (looksLikeKey && this.isHidden(row.name) ? value : undefined);
    const problem =
      key === undefined
        ? looksLikeKey
          ? 'holds a key'
          : `the environment variable ${this.isHidden(row.name) ? 'that it names' : value} is not set`
        : Buffer.from(key.trim(), 'base64').length === 32
          ? undefined
          : 'the environment variable does not hold 32 bytes in base64';
    const source = known === undefined ? 'the environment' : `the environment variable ${value}`;
    const content = key !== undefined && problem === undefined ? new Secret(key.trim()) : undefined;
    place(this.tree, row.name, content && new VariableContent(content, source));
    this.#hidden.add(row.name);
    if (problem !== undefined) {
      this.problems.push({
        setting: row.name,
        problem,
        expected: row.expected,
        hint: 'Make a key with: openssl rand -base64 32',
      });
    }
  }

  /**
   * Finds mistyped variables, which would be ignored silently. A name that resembles no setting belongs to another
   * program.
   */
  #findMistypedVariables(): void {
    const known = new Set(SETTING_ROWS.map((row) => row.variable));
    for (const variable of Object.keys(this.#source.env)) {
      if (!variable.startsWith('SEALGATE_') || known.has(variable) || this.#referenced.has(variable)) continue;
      const meant = nearestName(variable, known);
      if (meant === undefined || editDistance(variable, meant) > 2) continue;
      this.problems.push({ setting: variable, problem: 'is no setting', hint: `Did you mean ${meant}?` });
    }
  }
}

function describeYamlError(
  error: YAMLError,
  { file, yaml }: { readonly file: string; readonly yaml: string },
): ConfigProblem {
  const lines = yaml.slice(0, error.pos[0]).split('\n');
  const line = yaml.split('\n')[lines.length - 1] ?? '';
  return {
    setting: file,
    // The parser quotes the text that it could not parse, which may be a secret, so the quotation is removed.
    problem: `line ${lines.length}: ${error.message.replace(/:? *".*"/s, '')}`,
    expected: error.code === 'DUPLICATE_KEY' ? undefined : 'YAML',
    hint: /\{.*\$\{/.test(line) ? 'Between { and }, a value with a $ and braces needs quotes.' : undefined,
  };
}

export function isTree(value: unknown): value is SettingTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value at a dotted name. */
export function find(tree: SettingTree, name: string): unknown {
  return name.split('.').reduce<unknown>((node, key) => (isTree(node) ? node[key] : undefined), tree);
}

/**
 * Sets the value at a dotted name; undefined removes it. Returns false if one of the sections in the name is a value.
 */
export function place(tree: SettingTree, name: string, value: unknown): boolean {
  const keys = name.split('.');
  const last = keys.pop() as string;
  let node = tree;
  for (const key of keys) {
    node[key] ??= {};
    const next = node[key];
    if (!isTree(next)) return false;
    node = next;
  }
  if (value === undefined) delete node[last];
  else node[last] = value;
  return true;
}

/** Removes nulls: `keys:` with nothing after it is null in YAML, and means the same as leaving it out. */
function withoutNulls(node: unknown): unknown {
  if (node === null) return undefined;
  if (Array.isArray(node)) return node.map((item) => withoutNulls(item));
  if (!isTree(node)) return node;
  const kept = Object.entries(node).map(([key, value]) => [key, withoutNulls(value)] as const);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}
