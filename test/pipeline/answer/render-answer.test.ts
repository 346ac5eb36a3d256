import { expect, test } from 'vitest';
import type { FrontDialect, RenderContext } from '../../../src/dialects/front-dialect.ts';
import { s3Front } from '../../../src/dialects/s3/front/front.ts';
import type { ObjectListing } from '../../../src/operations/answer.ts';
import { rendered } from '../../../src/pipeline/answer/render-answer.ts';
import type { ByteSource } from '../../../src/wire/message.ts';
import { listOf } from '../in-process.ts';

const CONTEXT: RenderContext = {
  requestId: 'R',
  settings: { region: 'us-east-1', domains: [] },
  request: undefined,
};

function listing(keys: number): { readonly answer: ObjectListing; readonly released: () => number } {
  let times = 0;
  const object = { plaintextBytes: 1, etag: 'e', lastModified: new Date(0), storageClass: undefined, owner: undefined };
  const answer: ObjectListing = {
    kind: 'ObjectListing',
    release: () => void times++,
    asked: listOf(),
    objects: Array.from({ length: keys }, (_, at) => ({ key: `key-${at}`, ...object })),
    commonPrefixes: [],
    truncated: false,
    nextMarker: undefined,
    nextContinuationToken: undefined,
  };
  return { answer, released: () => times };
}

async function bodyOf(source: ByteSource): Promise<string> {
  let text = '';
  for await (const piece of source) text += piece.toString();
  return text;
}

test('a short listing is written already: nothing is held for it', () => {
  const { answer, released } = listing(2);
  const { body, headers } = rendered(answer, s3Front, CONTEXT);
  expect(headers.get('content-length')).toBe(String((body as Buffer).length));
  expect(released()).toBe(1);
});

test('a long one is held until its last piece was taken', async () => {
  const { answer, released } = listing(1000);
  const { body, headers } = rendered(answer, s3Front, CONTEXT);
  expect(headers.get('content-length')).toBeUndefined();
  expect(released()).toBe(0);
  expect((await bodyOf(body as ByteSource)).match(/<Key>key-\d+<\/Key>/g)).toHaveLength(1000);
  expect(released()).toBe(1);
});

test('or until it is let go, begun or not', async () => {
  for (const pulls of [0, 1]) {
    const { answer, released } = listing(1000);
    const pieces = (rendered(answer, s3Front, CONTEXT).body as ByteSource)[Symbol.asyncIterator]();
    for (let pull = 0; pull < pulls; pull++) await pieces.next();
    expect(released()).toBe(0);
    await pieces.return?.();
    expect(released()).toBe(1);
  }
});

test('or until writing it fails', async () => {
  const { answer, released } = listing(1000);
  const broken = { ...answer, objects: [...answer.objects, undefined as unknown as (typeof answer.objects)[number]] };
  await expect(bodyOf(rendered(broken, s3Front, CONTEXT).body as ByteSource)).rejects.toThrow(TypeError);
  expect(released()).toBe(1);
  const front: FrontDialect = {
    ...s3Front,
    render: () => {
      throw new Error('no such answer');
    },
  };
  expect(() => rendered(answer, front, CONTEXT)).toThrow('no such answer');
  expect(released()).toBe(2);
});
