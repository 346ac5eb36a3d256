import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile that has no ARG, no heredoc and no ONBUILD. */
export function readStages(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { image: string; name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') {
      const [image = '', , name] = rest.split(/\s+/);
      stages.push({ image, name, instructions: [] });
    } else stages.at(-1)?.instructions.push({ keyword, rest });
  }
  return stages;
}

export interface StageRun {
  /** The clone: the build context. */
  readonly context: string;
  /** Each stage gets a folder here that stands for its root. */
  readonly roots: string;
  readonly env: Record<string, string>;
}

/** Does what a builder would do with a stage's WORKDIR, COPY and RUN, in a folder; returns the working directory. */
export function runStage(stage: Stage, run: StageRun): string {
  const root = join(run.roots, stage.name ?? 'final');
  let folder = root;
  for (const { keyword, rest } of stage.instructions) {
    if (keyword === 'WORKDIR') folder = join(root, rest);
    mkdirSync(folder, { recursive: true });
    if (keyword === 'COPY') copy(rest.split(/\s+/), folder, run);
    if (keyword === 'RUN') runStep(rest, folder, run.env);
  }
  return folder;
}

const STEP_LIMIT_SECONDS = 120;

/** A step that installs takes what npm has in its cache; where a registry hangs or fails, it is tried once more. */
function runStep(script: string, cwd: string, env: Record<string, string>): void {
  const once = () =>
    spawnSync('sh', ['-c', script], {
      cwd,
      env: { ...env, npm_config_prefer_offline: 'true' },
      encoding: 'utf8',
      timeout: STEP_LIMIT_SECONDS * 1000,
    });
  const first = once();
  const step = first.status === 0 || !script.includes('npm ci') ? first : once();
  if (step.status !== 0) throw new Error(`RUN ${script} ended with ${step.status}\n${step.stdout}\n${step.stderr}`);
}

function copy(words: readonly string[], folder: string, run: StageRun): void {
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  const sources = paths.slice(0, -1);
  const destination = join(folder, paths.at(-1) ?? '');
  for (const source of sources) {
    const path = from ? join(run.roots, from, source) : join(run.context, source);
    // A folder's content goes to the destination, a file into it or under its name.
    const intoFolder = !statSync(path).isDirectory() && paths.at(-1)?.endsWith('/');
    const target = intoFolder ? join(destination, basename(path)) : destination;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(path, target, { recursive: true, verbatimSymlinks: true });
  }
}
