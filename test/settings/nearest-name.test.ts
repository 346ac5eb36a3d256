import { describe, expect, it } from 'vitest';
import { editDistance, nearestName } from '../../src/settings/nearest-name.ts';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['listen', 'listen', 0],
    ['listen', 'listne', 1],
    ['worker', 'workers', 1],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['ab', 'ba', 1],
  ])('%j to %j is %d', (left, right, distance) => {
    expect(editDistance(left, right)).toBe(distance);
    expect(editDistance(right, left)).toBe(distance);
  });
});

describe('nearestName', () => {
  it('finds a slip, whatever the case', () => {
    expect(nearestName('Enpoint', ['region', 'endpoint'])).toBe('endpoint');
  });
  it('does not guess at another word', () => {
    expect(nearestName('colour', ['region', 'endpoint'])).toBeUndefined();
    expect(nearestName('', ['region'])).toBeUndefined();
  });
});
