import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ToolName } from '../tools.ts';

/** Where a recipe works, and how it says what it does. */
export interface InstallSite {
  readonly cache: string;
  /** One progress line. */
  readonly say: (line: string) => void;
}

/**
 * How one tool gets onto a machine. Recipes of one lane run one after the other (apt has one lock, and `go install`
 * takes all cores); lanes run side by side.
 */
export interface Recipe {
  readonly tool: ToolName;
  readonly lane: 'go' | 'apt' | 'python' | 'npm' | 'maven';
  /** Path of a tool that is there already and good enough. */
  readonly find: (site: InstallSite) => Promise<string | undefined>;
  /** Installs it and returns the path. Throws with the reason. */
  readonly install: (site: InstallSite) => Promise<string>;
  /** What a person does where `install` could not. */
  readonly byHand: string;
}

/** The version that was installed under this name, written only once an installation is whole. */
export function readStamp(site: InstallSite, name: string): string | undefined {
  try {
    return readFileSync(join(site.cache, 'stamps', name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeStamp(site: InstallSite, name: string, version: string): void {
  const path = join(site.cache, 'stamps', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${version}\n`);
}

export function clearStamp(site: InstallSite, name: string): void {
  rmSync(join(site.cache, 'stamps', name), { force: true });
}

export function logFileOf(site: InstallSite, name: string): string {
  return join(site.cache, 'logs', `${name}.log`);
}

/** -1, 0 or 1 for dotted versions of any length. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
