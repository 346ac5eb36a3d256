import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Difference, unexplained, untrue } from '../../support/conformance/difference.ts';
import { conformanceDocument } from './conformance-document.ts';
import { ENCRYPTION_TESTS, type ExplainedTests, OTHER_TESTS } from './public-suite.ts';
import { type Outcome, readSuiteFigures, suiteFigures } from './public-suite-figures.ts';
import { SCENARIOS } from './scenarios.ts';

describe('docs/conformance.md', () => {
  it('tells what the tests hold to', () => {
    const written = readFileSync(new URL('../../../docs/conformance.md', import.meta.url), 'utf8');
    expect(written).toBe(conformanceDocument());
  });
});

describe('what is said of the public suite', () => {
  const { encryption, others } = readSuiteFigures();
  const namesIn = (list: readonly ExplainedTests[]) => list.flatMap(({ tests }) => tests);

  it('explains each test that failed when it was last run, and no other', () => {
    expect(namesIn(ENCRYPTION_TESTS).sort()).toEqual(encryption.failed);
    expect(namesIn(OTHER_TESTS).sort()).toEqual(others.failed);
  });

  it('counts what it says', () => {
    expect(encryption.tests).toBe(146);
    expect(encryption.passedThrough).toBe(146 - encryption.failed.length);
    expect(others.passedThrough).toBeGreaterThanOrEqual(others.passedDirect - others.failed.length);
  });
});

describe('the figures of the public suite', () => {
  const outcome = (name: string, outcome: Outcome['outcome'], encryption = false): Outcome => ({
    ...{ name, outcome, encryption },
    message: '',
  });

  it('count tests that ran, and name those that fail through the gateway and not without it', () => {
    const through = [
      outcome('a', 'passed'),
      outcome('c', 'failed'),
      outcome('b', 'failed'),
      outcome('nowhere', 'failed'),
      outcome('unused', 'skipped'),
      outcome('key', 'failed', true),
      outcome('copy', 'passed', true),
    ];
    const direct = [
      outcome('a', 'failed'),
      outcome('b', 'passed'),
      outcome('c', 'passed'),
      outcome('nowhere', 'failed'),
      outcome('unused', 'skipped'),
      outcome('key', 'failed', true),
      outcome('copy', 'failed', true),
    ];
    expect(suiteFigures('c0ffee', through, direct)).toEqual({
      commit: 'c0ffee',
      encryption: { tests: 2, passedThrough: 1, passedDirect: 0, failed: ['key'] },
      others: { tests: 4, passedThrough: 1, passedDirect: 2, failed: ['b', 'c'] },
    });
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
