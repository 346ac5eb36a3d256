import { mkdirSync } from 'node:fs';
import { cacheFolder, isExecutable, TOOL_PLACES, type ToolName } from '../tools.ts';
import { withLock } from './lock.ts';
import type { InstallSite, Recipe } from './recipe.ts';
import { RECIPES } from './table.ts';

const HEARTBEAT_MILLISECONDS = 20_000;

/** Tools that could not be had: the message says for each what to do. */
export class ToolsMissing extends Error {
  override readonly name = 'ToolsMissing';
}

/** Environment variables that tell tests where the tools are. */
export type ToolEnvironment = Record<string, string>;

/**
 * Finds these tools, installs those that are missing, and returns the variables for the processes that use them.
 * Throws ToolsMissing, with every tool that could not be had and what to install by hand.
 */
export async function ensureTools(
  tools: readonly ToolName[],
  options: { say: (line: string) => void; recipes?: readonly Recipe[] },
): Promise<ToolEnvironment> {
  const site: InstallSite = { cache: cacheFolder(), say: options.say };
  const recipes = (options.recipes ?? RECIPES).filter((recipe) => tools.includes(recipe.tool));
  mkdirSync(site.cache, { recursive: true });
  const first = await findAll(site, recipes);
  if (first.missing.length === 0) return first.environment;
  return withLock(
    { folder: site.cache, onWait: (holder) => site.say(`waiting for process ${holder}, which installs tools`) },
    async () => {
      // Another run may have installed them while this one waited.
      const { environment, missing } = await findAll(site, recipes);
      await installAll(site, missing, environment);
      return environment;
    },
  );
}

async function findAll(site: InstallSite, recipes: readonly Recipe[]) {
  const environment: ToolEnvironment = {};
  const missing: Recipe[] = [];
  const found = await Promise.all(recipes.map((recipe) => findOne(site, recipe)));
  recipes.forEach((recipe, index) => {
    const path = found[index];
    if (path) environment[TOOL_PLACES[recipe.tool].variable] = path;
    else missing.push(recipe);
  });
  return { environment, missing };
}

/** A path that somebody set is taken as it is; a wrong one is an error, not a reason to install another. */
async function findOne(site: InstallSite, recipe: Recipe): Promise<string | undefined> {
  const { variable } = TOOL_PLACES[recipe.tool];
  const given = process.env[variable];
  if (!given) return recipe.find(site);
  if (isExecutable(given)) return given;
  throw new ToolsMissing(`${variable} is set to ${given}, which is no executable file`);
}

async function installAll(site: InstallSite, recipes: readonly Recipe[], environment: ToolEnvironment): Promise<void> {
  const failures: string[] = [];
  const lanes = Map.groupBy(recipes, (recipe) => recipe.lane);
  await Promise.all([...lanes.values()].map((lane) => installLane(site, lane, environment, failures)));
  if (failures.length > 0) throw new ToolsMissing(failures.join('\n\n'));
}

async function installLane(
  site: InstallSite,
  lane: readonly Recipe[],
  environment: ToolEnvironment,
  failures: string[],
): Promise<void> {
  for (const recipe of lane) {
    const { variable } = TOOL_PLACES[recipe.tool];
    try {
      environment[variable] = await installOne(site, recipe);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(`${recipe.tool} could not be installed: ${reason}\n  ${recipe.byHand}, or set ${variable}.`);
    }
  }
}

async function installOne(site: InstallSite, recipe: Recipe): Promise<string> {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const heartbeat = setInterval(() => site.say(`${recipe.tool}: still at it, ${seconds()} s`), HEARTBEAT_MILLISECONDS);
  try {
    const path = await recipe.install(site);
    site.say(`${recipe.tool}: ready after ${seconds()} s (${path})`);
    return path;
  } finally {
    clearInterval(heartbeat);
  }
}
