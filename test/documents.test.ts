import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it, test } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'src/envelope/FORMAT.md', 'deploy/README.md'],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
];

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to pages that exist', () => {
    const targets = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !/^[a-z]+:/.test(target));
    expect(targets.filter((target) => !existsSync(join(ROOT, normalize(join(dirname(page), target)))))).toEqual([]);
  });

  it('names files that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|docs|bench|deploy)\/[\w./-]*\w\.(?:ts|js|md|json|py))`/g)];
    expect(named.map((match) => match[1] as string).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test('the glossary has one entry a term, and every decision is on the list', () => {
  const terms = [...read('docs/glossary.md').matchAll(/^\| \*\*(.+?)\*\* \| (.+) \|$/gm)];
  expect(terms.length).toBeGreaterThan(40);
  const names = terms.map((match) => (match[1] as string).toLowerCase());
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  for (const [, name, meaning] of terms) expect([name, meaning]).toEqual([name, expect.stringMatching(/\.$/)]);
  const list = read('docs/decisions/README.md');
  const decisions = readdirSync(join(ROOT, 'docs/decisions')).filter((name) => name !== 'README.md');
  expect(decisions.filter((name) => !list.includes(`](${name})`))).toEqual([]);
});

test('what FORMAT.md is made of is in the glossary', () => {
  const glossary = read('docs/glossary.md').toLowerCase();
  const words = [
    'sx1',
    'envelope',
    'part',
    'footer',
    'segment',
    'manifest',
    'quantum',
    'oid',
    'dek',
    'kek',
    'root key',
  ];
  const format = read('src/envelope/FORMAT.md').toLowerCase();
  expect(words.filter((word) => !format.includes(word) || !glossary.includes(`| **${word}** |`))).toEqual([]);
});
