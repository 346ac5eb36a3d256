import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { nearestName } from '../../settings/nearest-name.ts';
import { patternProblem } from '../../tenants/bucket-policy.ts';
import {
  type BucketRule,
  type FieldProblem,
  RULE_FIELD_NAMES,
  RULE_FIELDS,
  type RuleField,
  type RuleFields,
  type RuleWords,
  readField,
} from '../../tenants/rules/rule.ts';

/** A rule as a file has it: a rule for the buckets of the tenant that it names. */
export interface FileRule extends BucketRule {
  readonly tenant: string;
}

/** What a file of rules says, and everything that is wrong with it: lines that begin with file, line and column. */
export interface RuleFile {
  readonly rules: readonly FileRule[];
  readonly problems: readonly string[];
}

const FIELDS = ['tenant', 'bucket', ...RULE_FIELD_NAMES];

/** Reads rules from YAML. @param file how the file is named in messages, and in what is kept of its rules */
export function readRuleFile(yaml: string, file: string, words: RuleWords): RuleFile {
  return new RuleFileReader(yaml, file, words).read();
}

class RuleFileReader {
  readonly #file: string;
  readonly #words: RuleWords;
  readonly #lines = new LineCounter();
  readonly #document;
  readonly #rules: FileRule[] = [];
  readonly #problems: { readonly line: number; readonly column: number; readonly text: string }[] = [];

  constructor(yaml: string, file: string, words: RuleWords) {
    this.#file = file;
    this.#words = words;
    this.#document = parseDocument(yaml, { lineCounter: this.#lines, prettyErrors: false });
  }

  read(): RuleFile {
    const { contents, errors } = this.#document;
    for (const { pos, message } of errors) this.#problem(pos[0], message.split('\n', 1)[0] as string);
    if (errors.length === 0) this.#readTop(this.#resolved(contents));
    const problems = this.#problems
      .sort((a, b) => a.line - b.line || a.column - b.column)
      .map(({ line, column, text }) => `${this.#file}:${line}:${column}: ${text}`);
    return { rules: this.#rules, problems };
  }

  #readTop(top: Node | undefined): void {
    if (!isMap<Node, Node | null>(top)) {
      this.#problem(top?.range?.[0], 'The file must have `rules:` with a list of rules.');
      return;
    }
    let found = false;
    for (const pair of top.items) {
      if (nameOf(pair) === 'rules') {
        found = true;
        this.#readList(this.#resolved(pair.value));
      } else this.#problem(pair.key.range?.[0], `${unknown('The file has no field', nameOf(pair), ['rules'])}`);
    }
    if (!found) this.#problem(top.range?.[0], 'The file must have `rules:` with a list of rules.');
  }

  #readList(list: Node | undefined): void {
    if (!isSeq<Node | null>(list)) {
      this.#problem(list?.range?.[0], '`rules` must be a list; write `rules: []` for none.');
      return;
    }
    for (const item of list.items) this.#readRule(this.#resolved(item), item?.range?.[0]);
  }

  #readRule(node: Node | undefined, at: number | undefined): void {
    if (!isMap<Node, Node | null>(node)) {
      this.#problem(at, 'A rule must be a mapping, such as { tenant: acme, bucket: "acme-*", readOnly: true }.');
      return;
    }
    const before = this.#problems.length;
    const fields: Record<string, unknown> = {};
    const named: Record<string, string | undefined> = {};
    for (const pair of node.items) {
      const name = nameOf(pair);
      const value = this.#resolved(pair.value);
      if (name === 'tenant' || name === 'bucket') named[name] = this.#readName(name, value, pair);
      else if (isRuleField(name)) fields[name] = this.#readField(name, value, pair);
      else this.#problem(pair.key.range?.[0], unknown('A rule has no field', name, FIELDS));
    }
    for (const name of ['tenant', 'bucket']) if (!(name in named)) this.#problem(at, `The rule has no ${name}.`);
    if (this.#problems.length > before) return;
    if (Object.keys(fields).length === 0) {
      this.#problem(at, 'The rule says nothing: give it a field beside tenant and bucket.');
      return;
    }
    const { line, col } = this.#lines.linePos(at ?? 0);
    this.#rules.push(
      Object.freeze({
        tenant: named.tenant as string,
        bucket: named.bucket as string,
        fields: inOrder(fields),
        file: this.#file,
        line,
        column: col,
      }),
    );
  }

  #readName(name: 'tenant' | 'bucket', value: Node | undefined, pair: Pair<Node, Node | null>): string | undefined {
    const text = isScalar(value) && typeof value.value === 'string' ? value.value : undefined;
    const problem =
      text === undefined ? `${name} must be a text.` : name === 'bucket' ? patternProblem(text) : undefined;
    if (problem !== undefined) this.#problem(value?.range?.[0] ?? pair.key.range?.[0], problem);
    return text;
  }

  #readField(field: RuleField, value: Node | undefined, pair: Pair<Node, Node | null>): unknown {
    const read = readField(field, value?.toJS(this.#document), this.#words);
    if (!('problem' in read)) return read.value;
    const at = isSeq<Node>(value) ? itemNode(value.items, read) : value;
    this.#problem((at ?? value)?.range?.[0] ?? pair.key.range?.[0], describe(field, read, this.#words));
    return undefined;
  }

  #resolved(node: unknown): Node | undefined {
    return (isAlias(node) ? node.resolve(this.#document) : (node as Node | null)) ?? undefined;
  }

  #problem(offset: number | undefined, text: string): void {
    const { line, col } = this.#lines.linePos(offset ?? 0);
    this.#problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), text });
  }
}

/** The fields in the order in which they are shown, however the file orders them. */
function inOrder(fields: Readonly<Record<string, unknown>>): RuleFields {
  const names = RULE_FIELD_NAMES.filter((name) => fields[name] !== undefined);
  return Object.freeze(Object.fromEntries(names.map((name) => [name, fields[name]]))) as RuleFields;
}

function nameOf({ key }: Pair<Node, Node | null>): string {
  return isScalar(key) ? String(key.value) : '';
}

function isRuleField(name: string): name is RuleField {
  return Object.hasOwn(RULE_FIELDS, name);
}

function itemNode(items: readonly Node[], { item }: FieldProblem): Node | undefined {
  return items.find((node) => isScalar(node) && String(node.value) === item);
}

function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearestName(name, known);
  return `${what} ${JSON.stringify(name)}. ${meant === undefined ? `Known are ${known.join(', ')}.` : `Did you mean ${meant}?`}`;
}

function describe(field: RuleField, { item, problem }: FieldProblem, words: RuleWords): string {
  const form = RULE_FIELDS[field];
  const known = form.words(words);
  const expected = known === undefined ? form.expected : `${known.join(', ')}`;
  const list = form.list ? `a list of ${known === undefined ? '' : 'some of '}` : known === undefined ? '' : 'one of ';
  if (item === undefined || problem === 'shape') return `${field} must be ${list}${expected}.`;
  if (problem === 'later') return `${field}: ${item} is not available yet. Available are ${expected}.`;
  const meant = known && nearestName(item, known);
  const hint = meant === undefined ? `It must be ${list}${expected}.` : `Did you mean ${meant}?`;
  return `${field}: ${JSON.stringify(item)} is not known. ${hint}`;
}
