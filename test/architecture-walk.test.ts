import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSources, resolveImport } from './support/imports.ts';

/** The walks of docs/architecture.md, held to the imports of src. */

const ROOT = join(import.meta.dirname, '..');
const sources = new Map((await readSources(ROOT)).map((file) => [file.path, file]));
const document = await readFile(join(ROOT, 'docs/architecture.md'), 'utf8');

const BEFORE = 'Every request';
const AFTER = 'Every answer';
const WALKS = ['A PUT', 'A GET', 'A multipart upload', 'A copy'] as const;

/** What it imports is not yet of one walk: it hands each operation to its file. */
const SWITCH = 'src/pipeline/handle.ts';

/** Files that put others together without being met by a request: the gateway, the lists of each kind, and their rows. */
const composes = (path: string) => path.startsWith('src/gateway/') || /^src\/(?:.*\/)?(?:table|row)\.ts$/.test(path);

/** Rooms that are walked whole: what a named file of theirs imports from them is named, too. */
const WALKED = /^src\/(?:pipeline|formats|store)\//;

/** On the way by an import, and not by a request. */
const ASIDE: Readonly<Record<string, string>> = {
  'src/pipeline/trace.ts': 'what the log line of a request is made of',
  'src/formats/plain-sizes.ts': 'what listings remember',
  'src/store/buckets.ts': 'requests about buckets',
  'src/store/deletions.ts': 'requests that delete',
};

/** The files that a section names, in its order. */
function namedIn(section: string): string[] {
  const begin = document.indexOf(`\n### ${section}\n`);
  if (begin === -1) throw new Error(`docs/architecture.md has no section "${section}"`);
  const rest = document.slice(begin + 1);
  const end = rest.slice(1).search(/\n##/);
  const text = rest.slice(0, end === -1 ? undefined : end + 1);
  return [...text.matchAll(/`([a-z0-9-]+(?:\/[a-z0-9-]+)*\.ts)`/g)].map((match) => `src/${match[1]}`);
}

const importsOf = (path: string): readonly string[] =>
  (sources.get(path)?.imports ?? []).flatMap((specifier) => resolveImport(path, specifier) ?? []);

/** Those that are there when the code runs: types are met by nobody. */
function metFrom(path: string): string[] {
  const code = sources.get(path)?.code ?? '';
  return [...code.matchAll(/^import\s+(?!type\b)(?:\{([^}]*)\}[^'"]*)?['"]([^'"]+)['"]/gm)].flatMap(
    ([, names, from]) => {
      const onlyTypes = names?.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
      return onlyTypes === true ? [] : (resolveImport(path, from as string) ?? []);
    },
  );
}

const composed = new Set([...sources.keys()].filter(composes).flatMap((path) => importsOf(path)));

/** Files that no earlier one imports and nobody composes. */
function unreached(files: readonly string[]): string[] {
  return files.filter((path, at) => {
    if (at === 0 || composed.has(path)) return false;
    return !files.slice(0, at).some((earlier) => importsOf(earlier).includes(path));
  });
}

describe.each(WALKS)('%s', (walk) => {
  const files = [...namedIn(BEFORE), ...namedIn(walk), ...namedIn(AFTER)];

  test('names files that exist, each once', () => {
    expect(files.filter((path) => !sources.has(path))).toEqual([]);
    const named = namedIn(walk);
    expect(named.filter((path, at) => named.indexOf(path) !== at)).toEqual([]);
    expect(named.length).toBeGreaterThan(15);
  });

  test('names each file behind one that imports it, or that the gateway composes with the others', () => {
    expect(unreached(files)).toEqual([]);
  });
});

test('no file on the way is left out', () => {
  const all = new Set([BEFORE, ...WALKS, AFTER].flatMap(namedIn));
  const missing = [...all]
    .filter((path) => WALKED.test(path) && path !== SWITCH)
    .flatMap((path) => metFrom(path).filter((next) => WALKED.test(next) && !all.has(next) && !(next in ASIDE)))
    .sort();
  expect([...new Set(missing)]).toEqual([]);
  expect(Object.keys(ASIDE).filter((path) => !sources.has(path) || all.has(path))).toEqual([]);
});

test('what hands operations to their files hands reads, writes, uploads and copies to files that are walked', () => {
  const all = new Set([BEFORE, ...WALKS, AFTER].flatMap(namedIn));
  const rooms = /^src\/pipeline\/(?:admission|answer|conditions|read|upload|copy)\//;
  expect(metFrom(SWITCH).filter((path) => rooms.test(path) && !all.has(path))).toEqual([]);
});
