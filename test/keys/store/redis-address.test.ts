import { describe, expect, it } from 'vitest';
import { redisTarget } from '../../../src/keys/store/redis-address.ts';
import { Secret } from '../../../src/secret.ts';

describe('Redis URLs', () => {
  it.each([
    ['redis://h', { mode: 'single', options: { host: 'h', port: 6379, db: 0 } }],
    ['redis://h:7/3', { mode: 'single', options: { host: 'h', port: 7, db: 3 } }],
    ['redis://u:p%40w@h', { mode: 'single', options: { username: 'u', password: 'p@w' } }],
    ['redis://:p:w@h', { mode: 'single', options: { password: 'p:w' } }],
    ['redis://[::1]:7', { mode: 'single', options: { host: '::1', port: 7 } }],
    ['rediss://h', { mode: 'single', options: { tls: { minVersion: 'TLSv1.2' } } }],
    [
      'redis+sentinel://a,b:7/group/2',
      {
        mode: 'sentinel',
        options: {
          sentinels: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 7 },
          ],
          name: 'group',
          db: 2,
        },
      },
    ],
    [
      'rediss+sentinel://a/g',
      { mode: 'sentinel', options: { enableTLSForSentinelMode: true, sentinelTLS: {}, tls: {} } },
    ],
    [
      'redis+cluster://a,b:7',
      {
        mode: 'cluster',
        nodes: [
          { host: 'a', port: 6379 },
          { host: 'b', port: 7 },
        ],
      },
    ],
  ])('reads %s', (url, target) => {
    expect(redisTarget({ kind: 'redis', url })).toMatchObject(target);
  });

  it.each([
    ['http://h', 'must look like'],
    ['redis://', 'must look like'],
    ['redis://h:99999', 'bad host or port'],
    ['redis://a,b', 'Several Redis hosts'],
    ['redis://h/x', 'database number'],
    ['redis://h/1/2', 'ends after the database number'],
    ['redis+sentinel://h', 'must name the master group'],
    ['redis+cluster://h/1', 'only database 0'],
    ['redis://u:%zz@h', 'percent-encoded'],
  ])('refuses %s', (url, message) => {
    expect(() => redisTarget({ kind: 'redis', url })).toThrow(message);
  });

  it('prefers the user and password given apart, and never labels with them', () => {
    const target = redisTarget({ kind: 'redis', url: 'redis://a:b@h', username: 'c', password: new Secret('d') });
    expect(target).toMatchObject({
      options: { username: 'c', password: 'd' },
      label: 'Redis h:6379'.replace(':6379', ''),
    });
  });
});
