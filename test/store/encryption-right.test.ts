import { describe, expect, test } from 'vitest';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { Store } from '../../src/store/store.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../src/wire/message.ts';
import { refusalOf } from '../pipeline/in-process.ts';

type Answer = readonly [status: number, code?: string];

const MALFORMED: Answer = [400, 'MalformedXML'];
const UNKNOWN: Answer = [501, 'NotImplemented'];
const DENIED: Answer = [403, 'AccessDenied'];
const NO_BUCKET: Answer = [404, 'NoSuchBucket'];
const UNSET: Answer = [404, 'ServerSideEncryptionConfigurationNotFoundError'];

/** A store that answers so, for a caller that has a key of its own there. */
function storeThat(answers: Readonly<Record<string, Answer>>) {
  const asked: OutgoingRequest[] = [];
  const send = async (request: OutgoingRequest): Promise<IncomingResponse> => {
    asked.push(request);
    const [status, code] = answers[`${request.method} ${request.path.replace(/=$/, '')}`] ?? [500];
    const document = code === undefined ? '' : `<Error><Code>${code}</Code><Message>m</Message></Error>`;
    return {
      status,
      headers: new HeaderList(),
      body: (async function* () {
        yield Buffer.from(document);
      })(),
      discard: () => undefined,
    } as IncomingResponse;
  };
  const credentials = { accessKeyId: 'caller', secret: undefined as never, region: 'r' };
  const store = new Store(s3Back, { send, region: 'r' }).as({ asker: 'caller', credentials });
  const check = (asks: 'read' | 'change') =>
    refusalOf(store.buckets.checkEncryptionRight('bucket', asks, new AbortController().signal));
  return { asked, check };
}

describe('who may change how a bucket is encrypted', () => {
  test.each<[string, Readonly<Record<string, Answer>>, string]>([
    ['the store lets change it', { 'PUT /bucket?encryption': MALFORMED }, 'none'],
    ['the store says so with another code', { 'PUT /bucket?encryption': [400, 'InvalidRequest'] }, 'none'],
    ['the store denies it', { 'PUT /bucket?encryption': DENIED }, 'AccessDenied'],
    ['the store denies it in its own words', { 'PUT /bucket?encryption': [403, 'NotForYou'] }, 'AccessDenied'],
    ['the store knows no such key', { 'PUT /bucket?encryption': [403, 'InvalidAccessKeyId'] }, 'BackendKeyRefused'],
    ['there is no bucket', { 'PUT /bucket?encryption': NO_BUCKET }, 'NoSuchBucket'],
    ['the store is away', { 'PUT /bucket?encryption': [503, 'ServiceUnavailable'] }, 'BackendUnavailable'],
    ['the store has an ACL instead', { 'PUT /bucket?encryption': UNKNOWN, 'GET /bucket?acl': [200] }, 'none'],
    ['the store denies its ACL', { 'PUT /bucket?encryption': UNKNOWN, 'GET /bucket?acl': DENIED }, 'AccessDenied'],
    [
      'the store has neither, and shows the bucket',
      { 'PUT /bucket?encryption': UNKNOWN, 'GET /bucket?acl': [405, 'MethodNotAllowed'], 'HEAD /bucket': [200] },
      'none',
    ],
    [
      'the store has neither, and denies the bucket',
      { 'PUT /bucket?encryption': UNKNOWN, 'GET /bucket?acl': UNKNOWN, 'HEAD /bucket': [403] },
      'AccessDenied',
    ],
  ])('where %s', async (_what, answers, code) => {
    expect(await storeThat(answers).check('change')).toBe(code);
  });

  test('nothing is sent that a store would take', async () => {
    const { asked, check } = storeThat({ 'PUT /bucket?encryption': MALFORMED });
    await check('change');
    expect(asked.map(({ body, headers }) => [String(body), headers.get('content-md5')])).toEqual([
      ['<None/>', 'p/zKq6joduyHPXePhHFSow=='],
    ]);
  });
});

describe('who may read how a bucket is encrypted', () => {
  test.each<[string, Readonly<Record<string, Answer>>, string]>([
    ['the store tells it', { 'GET /bucket?encryption': [200] }, 'none'],
    ['the store has none', { 'GET /bucket?encryption': UNSET }, 'none'],
    ['the store denies it', { 'GET /bucket?encryption': DENIED }, 'AccessDenied'],
    ['there is no bucket', { 'GET /bucket?encryption': NO_BUCKET }, 'NoSuchBucket'],
    ['the store shows the bucket', { 'GET /bucket?encryption': UNKNOWN, 'HEAD /bucket': [200] }, 'none'],
    ['the store denies the bucket', { 'GET /bucket?encryption': UNKNOWN, 'HEAD /bucket': [403] }, 'AccessDenied'],
  ])('where %s', async (_what, answers, code) => {
    expect(await storeThat(answers).check('read')).toBe(code);
  });
});
