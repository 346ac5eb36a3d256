import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { findImports, resolveImport, withoutComments } from './imports.ts';
import { TOOL_PLACES, type ToolName } from './tools.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * `unit` runs in one process. `integration` runs server processes, or the gateway's program. `e2e` has clients ask a
 * gateway that runs over real servers.
 */
export type Ring = 'unit' | 'integration' | 'e2e';
export const RINGS: readonly Ring[] = ['unit', 'integration', 'e2e'];

/** Whoever imports a file of this folder runs processes. */
const SERVERS = 'test/support/servers/';
const E2E_FOLDERS = ['test/e2e/', 'test/deploy/'];

/** What a test file needs, read from what it imports: so nobody declares it, and no declaration grows old. */
export interface TestNeeds {
  /** From the repository's root. */
  readonly path: string;
  readonly ring: Ring;
  /** Every tool that it or a file of test/ that it imports asks for with `tool('name')`. */
  readonly tools: ReadonlySet<ToolName>;
}

/** Ceph RGW is tried by a command of its own (`npm run test:ceph`): no other run installs it. */
const ALONE: readonly ToolName[] = ['ceph'];

export function testNeeds(): TestNeeds[] {
  const files = new Map(
    testSources().map(({ path, code }) => [
      path,
      { tools: path.startsWith(INSTALL) ? [] : toolsIn(code), imports: importsOf(path, code) },
    ]),
  );
  return [...files.keys()]
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => {
      const reached = [...reach(path, files)];
      const tools = new Set(
        reached.flatMap((file) => files.get(file)?.tools ?? []).filter((name) => !ALONE.includes(name)),
      );
      return { path, ring: ringOf(path, reached), tools };
    });
}

function ringOf(path: string, reached: readonly string[]): Ring {
  if (E2E_FOLDERS.some((folder) => path.startsWith(folder))) return 'e2e';
  return reached.some((file) => file.startsWith(SERVERS)) ? 'integration' : 'unit';
}

/** TypeScript below test/, comments left out. */
export function testSources(): { readonly path: string; readonly code: string }[] {
  return readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => ({ path, code: withoutComments(readFileSync(join(ROOT, path), 'utf8')) }));
}

/** It tries how tools are found, with names of tools that it makes itself. */
const INSTALL = 'test/support/install/';

/** A type that is imported starts no server. */
const TYPE_IMPORT = /^[ \t]*import type\b[^;]*;/gm;

function importsOf(path: string, code: string): string[] {
  return findImports(code.replace(TYPE_IMPORT, ''))
    .map((specifier) => resolveImport(path, specifier))
    .filter((target) => target !== undefined)
    .map((target) => posix.normalize(target));
}

const TOOL_CALL = /\btool\('([^']+)'\)/g;

function toolsIn(code: string): ToolName[] {
  return [...code.matchAll(TOOL_CALL)].map((match) => match[1] as ToolName).filter((name) => name in TOOL_PLACES);
}

function reach(from: string, files: ReadonlyMap<string, { readonly imports: readonly string[] }>): Set<string> {
  const reached = new Set([from]);
  for (const file of reached) for (const next of files.get(file)?.imports ?? []) reached.add(next);
  return reached;
}
