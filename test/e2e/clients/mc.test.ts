import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 'gate/acme-mc';

const FILES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'with space': payload(65_537, 71),
  'sub/ünï+%': payload(100, 72),
  // mc cuts at 16 MiB.
  'sub/large': payload(20 * MIB + 1, 73),
};

describe("MinIO's client over MinIO and Redis", () => {
  let folder: string;
  let stand: Stand;

  const run = (...args: readonly string[]) =>
    runProgram(tool('mc'), ['--config-dir', join(folder, 'config'), '--json', ...args], {
      cwd: folder,
      env: {
        MC_HOST_gate: `http://${TENANT.accessKeyId}:${TENANT.secretAccessKey}@127.0.0.1:${stand.gateway.port}`,
      },
    });

  /** Its JSON lines; what fails says so with what it printed. */
  async function mc(...args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const { code, stdout, stderr } = await run(...args);
    expect(code, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  /** What a mirror transferred: a line a file, and a last one with sums. */
  const transferred = (lines: readonly Record<string, unknown>[]) =>
    lines.flatMap(({ source }) => (source === undefined ? [] : [source])).length;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-mc-client-'));
    for (const [name, bytes] of Object.entries(FILES)) {
      await mkdir(join(folder, 'source', name, '..'), { recursive: true });
      await writeFile(join(folder, 'source', name), bytes);
    }
    stand = await standOnMinio();
    await mc('mb', BUCKET);
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('mirrors, a second time nothing, and then what changed', async () => {
    const mirror = ['mirror', '--overwrite', '--remove', 'source', `${BUCKET}/mirror`];
    expect(transferred(await mc(...mirror))).toBe(Object.keys(FILES).length);
    expect(transferred(await mc(...mirror))).toBe(0);
    expect(await mc('diff', 'source', `${BUCKET}/mirror`)).toEqual([]);
    await mc('mirror', `${BUCKET}/mirror`, 'back');
    for (const [name, bytes] of Object.entries(FILES)) {
      expect(sha256(await readFile(join(folder, 'back', name))), name).toBe(sha256(bytes));
    }
    expect(transferred(await mc('mirror', `${BUCKET}/mirror`, 'back'))).toBe(0);
    await writeFile(join(folder, 'source/empty'), 'not any more');
    expect(transferred(await mc(...mirror))).toBe(1);
    expect((await run('cat', `${BUCKET}/mirror/empty`)).stdout).toBe('not any more');
  });

  it('tells plaintext sizes', async () => {
    await mc('cp', 'source/with space', `${BUCKET}/sizes/a b`);
    const listed = await mc('ls', '--recursive', `${BUCKET}/sizes`);
    expect(listed.map(({ key, size }) => [key, size])).toEqual([['a b', 65_537]]);
    expect(await mc('stat', `${BUCKET}/sizes/a b`)).toMatchObject([{ size: 65_537, type: 'file' }]);
    expect(await mc('du', `${BUCKET}/sizes`)).toMatchObject([{ size: 65_537, objects: 1 }]);
  });

  it('copies, moves and removes within the store', async () => {
    await mc('cp', '--attr', 'colour=blue', 'source/with space', `${BUCKET}/from`);
    await mc('cp', `${BUCKET}/from`, `${BUCKET}/to`);
    await mc('mv', `${BUCKET}/to`, `${BUCKET}/moved`);
    await mc('cp', `${BUCKET}/moved`, 'moved');
    expect(await readFile(join(folder, 'moved'))).toEqual(FILES['with space']);
    expect(await mc('stat', `${BUCKET}/moved`)).toMatchObject([{ metadata: { 'X-Amz-Meta-Colour': 'blue' } }]);
    expect((await run('stat', `${BUCKET}/to`)).code).toBe(1);
    await mc('rm', '--recursive', '--force', `${BUCKET}/mirror`, `${BUCKET}/moved`, `${BUCKET}/from`);
    const left = await mc('ls', '--recursive', BUCKET);
    expect(left.map(({ key }) => key)).toEqual(['sizes/a b']);
  });

  it('reads through a link it presigned, and streams in', async () => {
    const [{ share } = {}] = await mc('share', 'download', `${BUCKET}/sizes/a b`);
    expect(Buffer.from(await (await fetch(share as string)).arrayBuffer())).toEqual(FILES['with space']);
    const env = {
      MC_HOST_gate: `http://${TENANT.accessKeyId}:${TENANT.secretAccessKey}@127.0.0.1:${stand.gateway.port}`,
    };
    const pipe = ['--config-dir', join(folder, 'config'), 'pipe', `${BUCKET}/piped`];
    expect((await runProgram(tool('mc'), pipe, { env, input: 'by a pipe' })).code).toBe(0);
    expect((await run('cat', `${BUCKET}/piped`)).stdout).toBe('by a pipe');
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
