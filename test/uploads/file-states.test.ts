import { randomBytes } from 'node:crypto';
import { appendFile, readdir, stat, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileStates } from '../../src/uploads/file-states.ts';
import { temporaryDirectory } from '../keys/fixture.ts';
import { newId, uploadStatesContract } from './upload-states-contract.ts';

const now = () => new Date();

uploadStatesContract('files', async () => {
  const directory = join(await temporaryDirectory(), 'uploads');
  return { open: () => openFileStates({ directory, now }) };
});

describe('files', () => {
  it('a line that a power cut left half-written spoils neither what was before nor what comes after', async () => {
    const directory = await temporaryDirectory();
    const states = await openFileStates({ directory, now });
    const id = newId();
    const entries = [randomBytes(222), randomBytes(77), randomBytes(77), randomBytes(77)];
    for (const cut of [1, 2, 3, 50, 100]) {
      await states.create(id, entries.slice(0, 2), 60);
      await states.append(id, entries[2] as Buffer, 60);
      const path = join(directory, id);
      await truncate(path, (await stat(path)).size - cut);
      await states.append(id, entries[3] as Buffer, 60);
      const kept = cut === 1 ? entries : [entries[0], entries[1], entries[3]]; // only the line end is gone
      expect(await states.read(id)).toEqual(kept);
    }
    await appendFile(join(directory, id), '\n= not base64! =\n= AA');
    expect((await states.read(id))?.length).toBe(3);
  });

  it('is nobody’s business but its owner’s, and leaves no drafts', async () => {
    const directory = join(await temporaryDirectory(), 'uploads');
    const states = await openFileStates({ directory, now });
    const id = newId();
    await states.create(id, [randomBytes(10)], 60);
    await states.append(id, randomBytes(10), 60);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, id))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual([id]);
  });

  it('sweeps out what has expired when it is opened, and now and then', async () => {
    const directory = await temporaryDirectory();
    let time = new Date();
    const states = await openFileStates({ directory, now: () => time });
    const [old, young] = [newId(), newId()];
    await states.create(old, [randomBytes(10)], 60);
    await states.create(young, [randomBytes(10)], 60);
    const past = new Date(Date.now() - 61_000);
    await utimes(join(directory, old), past, past);
    await openFileStates({ directory, now });
    expect(await readdir(directory)).toEqual([young]);
    time = new Date(Date.now() + 4_000_000);
    await states.create(newId(), [randomBytes(10)], 60);
    expect(await readdir(directory)).not.toContain(young);
  });

  it('never leaves its folder', async () => {
    const states = await openFileStates({ directory: await temporaryDirectory(), now });
    await expect(states.read('../keys.json')).rejects.toThrow(RangeError);
    await expect(states.create('x'.repeat(64), [], 60)).rejects.toThrow(RangeError);
  });
});
