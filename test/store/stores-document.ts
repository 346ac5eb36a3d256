import { CAPABILITY_NAMES, CAPABILITY_WORDS } from '../../src/store/capabilities.ts';
import { KNOWN_STORES, UNKNOWN_STORE } from '../../src/store/known-stores.ts';

const BEGIN = '<!-- Printed from src/store/known-stores.ts by: node test/store/write-stores-document.ts -->';
const END = '<!-- To here. -->';

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

/** Returns the page docs/stores.md with the tables that the rows make. */
export function withTables(page: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error('docs/stores.md has lost the comments around its tables.');
  return `${page.slice(0, begin)}${BEGIN}\n\n${versions()}\n\n${capabilities()}\n\n${page.slice(end)}`;
}
