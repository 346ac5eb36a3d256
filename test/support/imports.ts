import { readdir, readFile } from 'node:fs/promises';
import { posix } from 'node:path';

/** A file of src, as far as the rules of architecture.md look at it. */
export interface SourceFile {
  /** From the repository's root, with slashes: `src/wire/xml/xml.ts`. */
  readonly path: string;
  /** With its comments. */
  readonly lines: number;
  /** The numbers of lines with a comment that is wider than MAX_COMMENT_WIDTH. */
  readonly wideComments: readonly number[];
  /** Without comments. */
  readonly code: string;
  /** Every module that it names: import, export from, import(), types too. */
  readonly imports: readonly string[];
}

export async function readSources(root: string): Promise<SourceFile[]> {
  const names = await readdir(posix.join(root, 'src'), { recursive: true });
  const paths = names
    .filter((name) => /\.(?:[cm]?[jt]s)$/.test(name))
    .map((name) => `src/${name.replaceAll('\\', '/')}`);
  return await Promise.all(
    paths.sort().map(async (path) => {
      const text = await readFile(posix.join(root, path), 'utf8');
      const code = withoutComments(text);
      const lines = text.split('\n').length - 1;
      return { path, lines, wideComments: wideComments(text), code, imports: findImports(code) };
    }),
  );
}

/** As wide as a line of code may be. The formatter breaks no comments. */
export const MAX_COMMENT_WIDTH = 120;

function wideComments(text: string): number[] {
  return text.split('\n').flatMap((line, index) => {
    return line.length > MAX_COMMENT_WIDTH && /^\s*(?:\/\/|\/\*|\*)/.test(line) ? [index + 1] : [];
  });
}

/** A comment begins at a line's start or behind a blank: so `https://` in a string is none. */
export function withoutComments(text: string): string {
  return text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/.*$/gm, '$1');
}

const STATIC = /^[ \t]*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*(['"])([^'"\n]+)\1/gm;
const DYNAMIC = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g;

export function findImports(code: string): string[] {
  return [STATIC, DYNAMIC].flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[2] as string));
}

/** The file of src that a relative import means, as a path from the root; undefined for a module from outside. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return /^\.\.?\//.test(specifier) ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** One row of the table "Rooms and who may import whom". */
export interface Room {
  /** Folders end with a slash; a `*` stands for a part of a file's name. */
  readonly paths: readonly string[];
  /** The rooms, by the last part of their path, it may import; itself always. */
  readonly mayImport: ReadonlySet<string>;
  /** Modules from outside it is held to; undefined when the table names none. */
  readonly outside: ReadonlySet<string> | undefined;
}

const TABLE_HEAD = '| room | purpose | may import |';

/** Reads the rooms from architecture.md, so that there is one table and not two. @throws Error for what it cannot read */
export function readRooms(markdown: string): Map<string, Room> {
  const lines = markdown.split('\n');
  const head = lines.indexOf(TABLE_HEAD);
  if (head === -1) throw new Error(`architecture.md has no table that begins with ${TABLE_HEAD}`);
  const rows: string[][] = [];
  for (let at = head + 2; lines[at]?.startsWith('|'); at++) {
    rows.push(
      (lines[at] as string)
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  }
  const pathsOf = (row: readonly string[]) =>
    [...(row[0] ?? '').matchAll(/`(src\/[^`]+)`/g)].map((match) => match[1] as string);
  const names = rows.map((row) => (isTop(row[2] ?? '') ? TOP : roomName(pathsOf(row)[0] ?? '')));
  return new Map(
    rows.map((row, at) => {
      const rule = readRule(row[2] ?? '', { all: names, above: names.slice(0, at) });
      return [names[at] as string, { paths: pathsOf(row), ...rule }];
    }),
  );
}

/** The rooms that compose the others. */
export const TOP = 'top';
const EVERYTHING = 'everything; nobody imports them';

function isTop(cell: string): boolean {
  return cell === EVERYTHING;
}

function roomName(path: string): string {
  return path.replace(/^src\//, '').replace(/\/$|\.ts$/, '');
}

function readRule(
  cell: string,
  names: { readonly all: readonly string[]; readonly above: readonly string[] },
): Pick<Room, 'mayImport' | 'outside'> {
  if (isTop(cell)) return { mayImport: new Set(names.all), outside: undefined };
  if (cell === 'nothing') return { mayImport: new Set(), outside: undefined };
  if (cell === 'all above')
    return { mayImport: new Set(names.above.filter((name) => name !== TOP)), outside: undefined };
  const words = cell.split(',').map((word) => word.trim());
  const outside = words.filter((word) => word.includes(':'));
  const rooms = words.filter((word) => !word.includes(':'));
  const unknown = rooms.find((word) => word === TOP || !names.all.includes(word));
  if (unknown !== undefined) throw new Error(`architecture.md lets a room import "${unknown}", which is no room.`);
  return { mayImport: new Set(rooms), outside: outside.length === 0 ? undefined : new Set(outside) };
}

/** The room of a file, or undefined. */
export function roomOf(path: string, rooms: ReadonlyMap<string, Room>): string | undefined {
  for (const [name, { paths }] of rooms) if (paths.some((pattern) => covers(pattern, path))) return name;
  return undefined;
}

function covers(pattern: string, path: string): boolean {
  if (pattern.endsWith('/')) return path.startsWith(pattern);
  const star = pattern.indexOf('*');
  if (star === -1) return path === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return path.startsWith(before) && path.endsWith(after) && !path.slice(before.length).includes('/');
}

/** A way from a file back to itself, or undefined. Types count: who names another's types depends on it. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): string[] | undefined => {
    const seen = trail.indexOf(file);
    if (seen !== -1) return [...trail.slice(seen), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const cycle = walk(next, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
