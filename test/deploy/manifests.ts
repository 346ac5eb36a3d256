import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export const ROOT = join(import.meta.dirname, '../..');

/** A YAML mapping of a document whose shape a schema has checked; what is no mapping is read by `list` or String(). */
export interface Node {
  readonly [key: string]: Node | undefined;
}

/** The items of a sequence; none where it is absent. */
export function list(node: Node | undefined): Node[] {
  if (node === undefined) return [];
  if (Array.isArray(node)) return node as Node[];
  throw new TypeError(`expected a sequence: ${JSON.stringify(node)}`);
}

/** The item of a sequence that has this name. */
export function byName(node: Node | undefined, name: unknown): Node | undefined {
  return list(node).find((item) => String(item.name) === String(name));
}

/** The pairs of a mapping; none where it is absent. */
export function entries(node: Node | undefined): [string, Node][] {
  return Object.entries((node ?? {}) as Record<string, Node>);
}

export function readYaml(path: string): Node {
  return parse(readFileSync(join(ROOT, path), 'utf8')) as Node;
}

export interface Manifest {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly body: Node;
}

/** Every document of every manifest below deploy/kubernetes. */
export function readManifests(): Manifest[] {
  return manifestFiles().flatMap((file) =>
    parseAllDocuments(readFileSync(file, 'utf8'), { version: '1.1' }).map((document) => {
      if (document.errors[0]) throw document.errors[0];
      const body = document.toJS() as Node;
      return { file: relative(ROOT, file), kind: String(body.kind), name: String(body.metadata?.name), body };
    }),
  );
}

export function manifestFiles(): string[] {
  const folder = join(ROOT, 'deploy/kubernetes');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
}

/** Every value at `key`, at any depth. */
export function valuesAt(node: unknown, key: string): Node[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => [
    ...(name === key ? [value as Node] : []),
    ...valuesAt(value, key),
  ]);
}
