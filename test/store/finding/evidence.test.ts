import { describe, expect, it } from 'vitest';
import { ASSUMED_CAPABILITIES, CAPABILITY_NAMES, type Capability } from '../../../src/store/capabilities.ts';
import { type Evidence, judge } from '../../../src/store/finding/evidence.ts';
import { KNOWN_STORES, type StoreSigns } from '../../../src/store/known-stores.ts';

const signs = (server: string, requestId = ''): StoreSigns => ({ server, requestId });

/** What a store shows that does everything, but for this. */
const shows = (over: Evidence = {}): Evidence => ({
  conditionalPuts: 'holds',
  matchesOwnEtag: 'holds',
  conditionalCompletes: 'holds',
  conditionalDeletes: 'holds',
  tornUploadsVanish: 'holds',
  truthfulCompletes: 'holds',
  distinctFirstSlash: 'holds',
  heedsEncryption: 'holds',
  ...over,
});

const lacked = (evidence: Evidence, ...seen: StoreSigns[]) => {
  const { store, capabilities } = judge({ signs: seen, evidence }, KNOWN_STORES);
  return [store.name, CAPABILITY_NAMES.filter((name) => !capabilities[name])] as const;
};

const UNPROVABLE: readonly Capability[] = [
  'atomicCompletes',
  'completeTellsEtag',
  'namesUnknownUploads',
  'pinnedCopies',
  'namedNotModified',
  'verbatimKeys',
  'lastingBucketDates',
];

describe('a store', () => {
  it.each([
    ['AmazonS3', '', shows({ verbatimKeys: 'holds' }), 'aws'],
    ['MinIO', '', shows({ conditionalDeletes: 'broken', distinctFirstSlash: 'broken' }), 'minio'],
    [
      'VERSITYGW',
      '',
      shows({
        conditionalDeletes: 'broken',
        tornUploadsVanish: 'broken',
        truthfulCompletes: 'broken',
        distinctFirstSlash: 'broken',
        heedsEncryption: 'broken',
      }),
      'versitygw',
    ],
    [
      '',
      'tx00000c1a2b3c4d5e6f708-0065a1b2c3-1036-default',
      shows({
        matchesOwnEtag: 'broken',
        conditionalCompletes: 'broken',
        conditionalDeletes: 'broken',
        verbatimKeys: 'holds',
        heedsEncryption: 'broken',
      }),
      'ceph',
    ],
  ])('that names itself %s%s and behaves so has what its row says', (server, requestId, evidence, name) => {
    const found = judge({ signs: [signs(server, requestId)], evidence }, KNOWN_STORES);
    expect(found.store.name).toBe(name);
    expect(found.capabilities).toEqual(found.store.capabilities);
  });

  it('of which nothing was tried has nothing, whatever it calls itself', () => {
    const { store, capabilities } = judge({ signs: [signs('AmazonS3')], evidence: {} }, KNOWN_STORES);
    expect([store.name, capabilities]).toEqual(['unknown', ASSUMED_CAPABILITIES]);
  });

  it('that the gateway does not know has what it showed, and nothing that cannot be shown', () => {
    expect(lacked(shows({ verbatimKeys: 'holds' }), signs('Garage'))).toEqual(['unknown', UNPROVABLE]);
  });
});

describe('a claim', () => {
  it('grants nothing to a store that does less than its row in anything', () => {
    const liar = shows({ tornUploadsVanish: 'broken', truthfulCompletes: 'broken', verbatimKeys: 'holds' });
    expect(lacked(liar, signs('AmazonS3'))).toEqual([
      'unknown',
      expect.arrayContaining([...UNPROVABLE, 'tornUploadsVanish', 'truthfulCompletes']),
    ]);
  });

  it('grants no keys that are names, unless they were tried', () => {
    expect(lacked(shows(), signs('AmazonS3'))).toEqual(['aws', ['verbatimKeys', 'lastingBucketDates']]);
  });

  it('makes more careful where a habit did not show', () => {
    const quiet = shows({ conditionalDeletes: 'broken', distinctFirstSlash: 'broken' });
    const [name, lacks] = lacked(quiet, signs('VERSITYGW'));
    expect(name).toBe('versitygw');
    expect(lacks).toEqual(expect.arrayContaining(['tornUploadsVanish', 'truthfulCompletes', 'atomicCompletes']));
  });

  it('of two programs behind one address is none, and the habits of both count', () => {
    const [name, lacks] = lacked(shows(), signs('AmazonS3'), signs('VERSITYGW'));
    expect(name).toBe('unknown');
    expect(lacks).toEqual(expect.arrayContaining(['tornUploadsVanish', 'atomicCompletes']));
    expect(lacked(shows({ verbatimKeys: 'holds' }), signs('AmazonS3'), signs('nginx'))[0]).toBe('unknown');
  });
});

it('what a store does in one attempt counts over its row: a later version may have learned it', () => {
  const learned = shows({ distinctFirstSlash: 'broken' });
  expect(lacked(learned, signs('MinIO'))).toEqual(['minio', ['verbatimKeys', 'distinctFirstSlash']]);
});
