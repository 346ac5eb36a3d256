import { describe, expect, it } from 'vitest';
import { ClientWatch, type Verdict, type Waiting } from '../../src/server/client-watch.ts';

const limits = { tickSeconds: 1, idleSeconds: 4, minUploadBytesPerSecond: 10 };

function judge(samples: readonly Waiting[]): Verdict[] {
  const watch = new ClientWatch(limits);
  return samples.map((sample) => watch.judge(sample));
}

const upload = (...moved: number[]): Waiting[] => moved.map((bytes) => ({ for: 'upload', moved: bytes }));
const download = (...moved: number[]): Waiting[] => moved.map((bytes) => ({ for: 'download', moved: bytes }));

describe('the watch over a client', () => {
  it('calls one idle that moved nothing for the idle time', () => {
    expect(judge(download(5, 5, 5, 5, 5))).toEqual(['fine', 'fine', 'fine', 'fine', 'idle']);
  });

  it('begins anew with every byte', () => {
    expect(judge(download(5, 5, 5, 5, 6, 6, 6, 6, 6)).at(-2)).toBe('fine');
    expect(judge(download(5, 5, 5, 5, 6, 6, 6, 6, 6)).at(-1)).toBe('idle');
  });

  it('calls one slow that uploads under the least rate', () => {
    expect(judge(upload(1, 2, 3, 4))).toEqual(['fine', 'fine', 'fine', 'slow']);
  });

  it('is content with the least rate, window after window', () => {
    expect(judge(upload(10, 20, 30, 40, 50, 60, 70, 80))).toEqual(Array(8).fill('fine'));
    expect(judge(upload(10, 20, 30, 40, 50, 51, 52, 53)).at(-1)).toBe('slow');
  });

  it('demands no rate of a download', () => {
    expect(judge(download(1, 2, 3, 4, 5, 6, 7, 8))).toEqual(Array(8).fill('fine'));
  });

  it('does not count the time when nobody waits for the client', () => {
    const waits: Waiting[] = [...upload(1, 1, 1), undefined, ...upload(1, 1, 1)];
    expect(judge(waits).includes('idle')).toBe(false);
    expect(judge([undefined, undefined, undefined, undefined, undefined, ...upload(1)])).toEqual(Array(6).fill('fine'));
  });
});
