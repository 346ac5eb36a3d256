import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Difference, unexplained, untrue } from '../../support/conformance/difference.ts';
import { conformanceDocument } from './conformance-document.ts';
import { SCENARIOS } from './scenarios.ts';

describe('docs/conformance.md', () => {
  it('tells what the tests hold to', () => {
    const written = readFileSync(new URL('../../../docs/conformance.md', import.meta.url), 'utf8');
    expect(written).toBe(conformanceDocument());
  });
});

describe('the list of differences', () => {
  const LISTED: Difference = {
    stores: ['MinIO'],
    at: ['a/put', 'a/get *'],
    field: 'answer',
    direct: '404 *',
    through: undefined,
    reason: 'the test',
  };
  const FOUND = { at: 'a/put', field: 'answer', direct: '404 NoSuchKey', through: undefined };

  it('explains what it names, and nothing else', () => {
    expect(unexplained([FOUND, { ...FOUND, at: 'a/get it' }], [LISTED], 'MinIO')).toEqual([]);
    for (const other of [
      { ...FOUND, at: 'a/putt' },
      { ...FOUND, field: 'header etag' },
      { ...FOUND, direct: '400 BadDigest' },
      { ...FOUND, direct: undefined },
      { ...FOUND, through: '' },
    ]) {
      expect(unexplained([other], [LISTED], 'MinIO')).toEqual([other]);
    }
    expect(unexplained([FOUND], [LISTED], 'versitygw')).toEqual([FOUND]);
  });

  it('must be true wherever it names a place', () => {
    expect(untrue([FOUND], [LISTED], 'MinIO')).toEqual(['a/get *: answer']);
    expect(untrue([FOUND, { ...FOUND, at: 'a/get it' }], [LISTED], 'MinIO')).toEqual([]);
    expect(untrue([], [LISTED], 'versitygw')).toEqual([]);
  });
});

describe('scenarios', () => {
  it('have names of their own, and so have their steps', () => {
    const places = SCENARIOS.flatMap(({ name, steps }) => steps.map((step) => `${name}/${step.name}`));
    expect(places.filter((place, index) => places.indexOf(place) !== index)).toEqual([]);
  });
});
