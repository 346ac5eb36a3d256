import { createHash } from 'node:crypto';
import { get, head, list, put, remove, type Scenario, type Step } from '../../support/conformance/scenario.ts';
import { payload } from '../../support/payload.ts';

const md5 = (body: string) => createHash('md5').update(body).digest('base64');
/** Over two segments of the sealed layout, and no multiple of anything. */
const LARGE = payload(150_001);

export const OBJECTS: readonly Scenario[] = [
  {
    name: 'objects',
    steps: [
      put('put', 'k', 'hello'),
      get('get', 'k'),
      head('head', 'k'),
      put('put nothing', 'empty', ''),
      get('get nothing', 'empty'),
      head('head nothing', 'empty'),
      put('put more than a segment', 'large', LARGE),
      get('get more than a segment', 'large'),
      head('head more than a segment', 'large'),
      put('overwrite', 'k', 'hello again'),
      get('get what was overwritten', 'k'),
      put('with its MD5', 'md5', 'checked', { headers: { 'content-md5': md5('checked') } }),
      put('with another MD5', 'md5', 'checked', { headers: { 'content-md5': md5('other') } }),
      put('with an MD5 that is none', 'md5', 'checked', { headers: { 'content-md5': 'nonsense' } }),
      get('what the wrong MD5 left', 'md5'),
      put('without hashing the body', 'unsigned', 'body', { payload: 'UNSIGNED-PAYLOAD' }),
      put('with the hash of another body', 'k', 'body', {
        payload: createHash('sha256').update('other').digest('hex'),
      }),
      get('what the wrong hash left', 'k'),
      remove('delete', 'k'),
      get('get what was deleted', 'k'),
      head('head of what was deleted', 'k'),
      remove('delete again', 'k'),
      put('a document', 'document.xml', '<?xml version="1.0"?><a/>', { headers: { 'content-type': 'text/xml' } }),
      get('get a document', 'document.xml'),
    ],
  },
  {
    name: 'keys',
    steps: [
      ...[
        'a b',
        'a+b',
        'a%2Fb',
        'ä/ö/ü',
        '日本/語',
        "it's (here)!*",
        'a=b&c',
        'tab\tbed',
        '~tilde',
        'dots..',
        '#?',
      ].flatMap((key) => [put(`put ${JSON.stringify(key)}`, key, key), get(`get ${JSON.stringify(key)}`, key)]),
      list('list', { 'list-type': '2' }),
      list('list encoded', { 'list-type': '2', 'encoding-type': 'url' }),
      put('as long as may be', 'k'.repeat(200), 'x'),
      put('too long', `${'k'.repeat(200)}/`.repeat(6), 'x'),
      get('too long to get', `${'k'.repeat(200)}/`.repeat(6)),
    ],
  },
  {
    name: 'climbing keys',
    steps: [
      ...['a/../b', './b', 'a//b', '../climbing/b'].flatMap((key) => [
        put(`put ${key}`, key, 'x'),
        get(`get ${key}`, key),
        head(`head ${key}`, key),
        remove(`delete ${key}`, key),
      ]),
      list('list from above', { 'list-type': '2', prefix: '../' }),
    ],
  },
  {
    name: 'folders',
    steps: [
      put('put', 'folder/', ''),
      get('get', 'folder/'),
      head('head', 'folder/'),
      put('put within', 'folder/k', 'x'),
      get('get within', 'folder/k'),
      remove('delete', 'folder/'),
      get('get within what was deleted', 'folder/k'),
    ],
  },
  {
    name: 'metadata',
    steps: [
      put('put', 'k', 'x', {
        headers: {
          'content-type': 'text/plain; charset=utf-8',
          'cache-control': 'max-age=60',
          'content-disposition': 'attachment; filename="a.txt"',
          'content-encoding': 'gzip',
          'content-language': 'de',
          expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
          'x-amz-meta-one': 'first',
          'x-amz-meta-UPPER-Case': 'Value',
          'x-amz-meta-spaces': 'a  b',
        },
      }),
      get('get', 'k'),
      head('head', 'k'),
      get('answered as asked', 'k', {
        query: {
          'response-content-type': 'image/png',
          'response-cache-control': 'no-store',
          'response-content-disposition': 'inline',
          'response-content-language': 'en',
          'response-content-encoding': 'identity',
          'response-expires': 'Thu, 01 Dec 2033 17:00:00 GMT',
        },
      }),
      put('put without', 'k', 'y'),
      head('head without', 'k'),
      put('of 1,500 bytes', 'big', 'x', { headers: { 'x-amz-meta-big': 'v'.repeat(1_500) } }),
      head('head of 1,500 bytes', 'big'),
      put('of 3,000 bytes', 'bigger', 'x', { headers: { 'x-amz-meta-bigger': 'v'.repeat(3_000) } }),
      put('with tags', 'tagged', 'x', { headers: { 'x-amz-tagging': 'b=two%20words' } }),
      head('head with tags', 'tagged'),
      get('tags', 'tagged', { query: { tagging: '' } }),
      put(
        'change tags',
        'tagged',
        '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>c</Key><Value>3</Value></Tag></TagSet></Tagging>',
        { query: { tagging: '' } },
      ),
      get('changed tags', 'tagged', { query: { tagging: '' } }),
      remove('delete tags', 'tagged', { query: { tagging: '' } }),
      get('no tags', 'tagged', { query: { tagging: '' } }),
      put('a storage class', 'cold', 'x', { headers: { 'x-amz-storage-class': 'STANDARD' } }),
      head('head of a storage class', 'cold'),
    ],
  },
  {
    name: 'deletes',
    steps: [
      put('one', 'a', 'x'),
      put('two', 'b/c', 'x'),
      put('three', 'd e', 'x'),
      deleteMany('many', deletion(['a', 'b/c', 'absent'])),
      deleteMany('many, quietly', deletion(['d e'], true)),
      list('what is left', { 'list-type': '2' }),
      deleteMany('none', '<Delete></Delete>'),
      deleteMany('no document', 'nonsense'),
      { name: 'many without a checksum', method: 'POST', query: { delete: '' }, body: deletion(['a']) },
    ],
  },
];

function deletion(keys: readonly string[], quiet = false): string {
  const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('');
  return `<Delete>${quiet ? '<Quiet>true</Quiet>' : ''}${objects}</Delete>`;
}

function deleteMany(name: string, body: string): Step {
  return { name, method: 'POST', query: { delete: '' }, headers: { 'content-md5': md5(body) }, body };
}
