import { expect, it } from 'vitest';
import { lostMetadata } from '../../src/cli/check/probe-metadata.ts';
import type { ObjectClient } from '../../src/cli/shell/object-client.ts';
import { clientError } from '../../src/errors.ts';
import type { ContentHeaders, MetadataEntry } from '../../src/operations/object.ts';

interface Described {
  readonly content: ContentHeaders;
  readonly user: readonly MetadataEntry[];
}

/** The gateway over a store with a habit, as the probe sees it. */
function over(habit: (sent: Described) => Described): ObjectClient {
  let stored: Described = { content: {}, user: [] };
  return {
    put: async (_ref: unknown, _body: unknown, sent: Described) => {
      stored = habit(sent);
    },
    get: async () => ({ object: { metadata: { ...stored, content: { contentType: 'a/b', ...stored.content } } } }),
  } as unknown as ObjectClient;
}

const ref = { bucket: 'b', key: 'k' };
const without = (lost: string) => (sent: Described) => ({ ...sent, user: sent.user.filter(([name]) => name !== lost) });

it.each<readonly [string, (sent: Described) => Described, RegExp | undefined]>([
  ['keeps all', (sent) => sent, undefined],
  ['drops a name', without('x-amz-iv'), /otherwise?.*: x-amz-iv \(x-amz-iv came back otherwise\)$|: x-amz-iv \(/],
  [
    'puts hyphens for underscores',
    ({ content, user }) => ({ content, user: user.map(([name, value]) => [name.replaceAll('_', '-'), value]) }),
    /: with_underscore \(with_underscore came back otherwise\)$/,
  ],
  [
    'drops languages',
    ({ content, user }) => ({ content: { ...content, contentLanguage: undefined }, user }),
    /: contentLanguage \(contentLanguage came back otherwise\)$/,
  ],
  [
    'adds a name',
    ({ content, user }) => ({ content, user: [...user, ['server', 'x']] }),
    /1 names came back that nobody sent/,
  ],
  [
    'takes less than 2,048 bytes',
    (sent) => {
      if (JSON.stringify(sent).length > 1700) throw clientError('MetadataTooLarge', 'Too large.');
      return sent;
    },
    /: largest \(MetadataTooLarge\)$/,
  ],
])('tells of a store that %s', async (_what, habit, told) => {
  const lost = await lostMetadata(over(habit), ref);
  if (told === undefined) expect(lost).toBeUndefined();
  else expect(lost).toMatch(told);
});
