import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CAPABILITY_NAMES, CAPABILITY_WORDS } from '../../src/store/capabilities.ts';
import { KNOWN_STORES, UNKNOWN_STORE } from '../../src/store/known-stores.ts';

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function versions(): string {
  const rows = KNOWN_STORES.map(({ title, version = '–', tested }) => [title, version, tested]);
  return table(['store', 'version', 'tested'], rows);
}

function capabilities(): string {
  const stores = [...KNOWN_STORES, UNKNOWN_STORE];
  const rows = CAPABILITY_NAMES.map((name) => {
    const { what, without } = CAPABILITY_WORDS[name];
    return [what, ...stores.map((store) => (store.capabilities[name] ? 'yes' : '**no**')), without];
  });
  return table(['what S3 has', ...stores.map(({ title }) => title), 'what the gateway does where it is not so'], rows);
}

const page = readFileSync(new URL('../../docs/stores.md', import.meta.url), 'utf8');
const printed = `<!-- Printed from src/store/known-stores.ts: test/store/known-stores.test.ts holds it equal. -->

${versions()}

${capabilities()}

<!-- To here. -->`;

it('docs/stores.md tells what the rows say', () => {
  const start = page.indexOf('<!-- Printed');
  const end = page.indexOf('<!-- To here. -->');
  expect(`${page.slice(start, end)}<!-- To here. -->`).toBe(printed);
});

it('each row has a name of its own, which may be a metric’s label', () => {
  const names = [...KNOWN_STORES, UNKNOWN_STORE].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_-]*$/);
});
