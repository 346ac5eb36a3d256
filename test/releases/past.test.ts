import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256 } from '../support/payload.ts';
import { type GatewayProcess, startGateway } from '../support/servers/gateway.ts';
import { authenticates, continuesUploads, listsObjects, readsObjects, writesOn } from './continued.ts';
import { copyOf, DIGESTS, type Expected, FIXTURES, filesIn, RELEASES, type Release } from './fixture.ts';

/**
 * Every release reads the past: what an earlier one wrote is opened for ever. The fixtures and how they were made are in
 * test/vectors/releases/README.md; those with their key store in Redis are opened by test/e2e/service/releases.test.ts.
 */

const releases: readonly Release[] = JSON.parse(await readFile(join(RELEASES, 'releases.json'), 'utf8'));

test('there are releases', () => {
  expect(releases.map(({ name }) => name)).toContain('0.1');
});

describe.each(releases)('release $name', ({ name }) => {
  test.each(FIXTURES)('the fixture "%s" has all its files, as they were made', async (fixture) => {
    const folder = join(RELEASES, name, fixture);
    const digests: Record<string, string> = JSON.parse(await readFile(join(folder, DIGESTS), 'utf8'));
    const found: Record<string, string> = {};
    for (const file of await filesIn(folder)) {
      if (file !== DIGESTS) found[file] = sha256(await readFile(join(folder, file)));
    }
    expect(found).toEqual(digests);
    expect(Object.keys(found).length).toBeGreaterThan(15);
  });

  describe('all in files', () => {
    let folder: string | undefined;
    let gateway: GatewayProcess;
    let expected: Expected;

    beforeAll(async () => {
      folder = await copyOf(join(RELEASES, name, 'files'));
      expected = JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8'));
      gateway = await startGateway({
        backend: { directory: join(folder, 'objects') },
        tenantExists: true,
        more: {
          keys: {
            root: { file: join(folder, 'root.key') },
            store: { file: join(folder, 'keys.json') },
            generationFile: join(folder, 'root.key.generation'),
          },
        },
      });
    });

    afterAll(async () => {
      await gateway?.stop();
      await rm(folder ?? '', { recursive: true, force: true });
    });

    test('has objects of every shape, credentials and uploads', () => {
      expect(expected.objects.length).toBeGreaterThanOrEqual(29);
      expect(expected.credentials.length).toBeGreaterThanOrEqual(3);
      expect(expected.uploads.length).toBeGreaterThanOrEqual(4);
      expect(expected.moved.length).toBeGreaterThanOrEqual(2);
    });

    test('objects are read', () => readsObjects(gateway, expected));
    test('objects are listed', () => listsObjects(gateway, expected));
    test('credentials sign, and key rings have their versions', () => authenticates(gateway, expected));
    test('uploads go on', () => continuesUploads(gateway, expected));
    test('new objects are written', () => writesOn(gateway));
  });
});
