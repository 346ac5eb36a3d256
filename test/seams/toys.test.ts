import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources } from '../support/imports.ts';

/** What an addition of each kind takes at least, a file each. */
const TOYS: readonly string[] = [
  'toy-dialect/toy-front.ts',
  'toy-dialect/toy-back.ts',
  'toy-format/toy-format.ts',
  'toy-key-source/toy-key-source.ts',
  'toy-root-key/toy-root-key.ts',
  'toy-store/toy-store.ts',
];
const MAX_LINES = 149;

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8');
const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' }).filter((path) =>
  /^toy-.*\.ts$/.test(path),
);

describe('toys', () => {
  it('are what lies here, beside their tests and the servers that speak to them', () => {
    const rest = files.filter((path) => !path.endsWith('.test.ts') && !/\/toy-server[^/]*\.ts$/.test(path));
    expect(rest.sort()).toEqual([...TOYS].sort());
  });

  it('have less than 150 lines each, and so have their servers', () => {
    const long = files.filter((path) => !path.endsWith('.test.ts') && read(path).split('\n').length - 1 > MAX_LINES);
    expect(long).toEqual([]);
  });

  it.each(TOYS)('%s is whole in its file: it imports nothing but src and packages', (path) => {
    const imports = [...read(path).matchAll(/^(?:import|export)\b[^'"]*['"](\.[^'"]+)['"]/gm)].map((match) => match[1]);
    expect(imports.length).toBeGreaterThan(0);
    expect(imports.filter((specifier) => !specifier?.startsWith('../../../src/'))).toEqual([]);
  });

  it('are known to nothing in src', async () => {
    const sources = await readSources(join(import.meta.dirname, '../..'));
    expect(sources.filter(({ code }) => /\btoys?\b/i.test(code)).map(({ path }) => path)).toEqual([]);
  });
});
