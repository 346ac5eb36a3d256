import { expect, test } from 'vitest';
import { testNeeds, testSources } from './rings.ts';
import { TOOL_PLACES } from './tools.ts';

const needs = new Map(testNeeds().map((need) => [need.path, need]));
const toolsOf = (folder: string) =>
  new Set([...needs].filter(([path]) => path.startsWith(folder)).flatMap(([, { tools }]) => [...tools]));

test('what runs in one process needs no tool', () => {
  const asking = [...needs.values()].filter(({ ring, tools }) => ring === 'unit' && tools.size > 0);
  expect(asking.map(({ path }) => path)).toEqual([]);
  for (const folder of ['test/envelope/', 'test/pipeline/write/', 'test/dialects/'])
    expect(toolsOf(folder)).toEqual(new Set());
});

test('what starts servers needs those, and no others', () => {
  expect(toolsOf('test/keys/')).toEqual(new Set(['redis']));
  expect(toolsOf('test/cli/object-client')).toEqual(new Set(['minio']));
  expect(toolsOf('test/e2e/clients/restic')).toEqual(new Set(['minio', 'redis', 'restic']));
  expect(toolsOf('test/e2e/clients/s3-sdk')).toEqual(new Set(['minio', 'redis', 'versitygw']));
  expect(toolsOf('test/deploy/kubernetes')).toEqual(new Set(['kubernetes-validate']));
  expect(toolsOf('test/')).not.toContain('ceph');
});

test('rings', () => {
  expect(needs.get('test/envelope/envelope.test.ts')?.ring).toBe('unit');
  expect(needs.get('test/keys/store/redis-store.test.ts')?.ring).toBe('integration');
  expect(needs.get('test/cli/commands.test.ts')?.ring).toBe('integration');
  expect(needs.get('test/e2e/clients/boto3.test.ts')?.ring).toBe('e2e');
});

test('a tool is asked for by its name, so that what a file needs can be read from it', () => {
  const own = ['test/support/tools.ts', 'test/support/rings.ts', 'test/run.ts', /^test\/support\/install\//];
  const isOwn = (path: string) => own.some((one) => (typeof one === 'string' ? one === path : one.test(path)));
  const variables = Object.values(TOOL_PLACES).map(({ variable }) => variable);
  const breaches = testSources()
    .filter(({ path }) => !isOwn(path) && path !== 'test/support/rings.test.ts')
    .flatMap(({ path, code }) => [
      ...(/\btool\((?!'[a-z0-9-]+'\))/.test(code) ? [`${path}: asks for a tool by what is no literal`] : []),
      ...(/\b(?:findTool|TOOL_PLACES|findOnPath|cacheFolder)\b/.test(code)
        ? [`${path}: looks for tools past tool()`]
        : []),
      ...variables
        .filter((variable) => new RegExp(`\\b${variable}\\b`).test(code))
        .map((variable) => `${path}: reads ${variable}`),
      ...(/\bspawn(?:Sync)?\(\s*'(?:minio|redis-server|mc|rclone|restic|aws|s3cmd|curl|wget|python3?)'/.test(code)
        ? [`${path}: runs a tool past tool()`]
        : []),
    ]);
  expect(breaches).toEqual([]);
});
