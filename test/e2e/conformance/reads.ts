import { get, head, put, type Scenario } from '../../support/conformance/scenario.ts';
import { payload } from '../../support/payload.ts';

/** Three segments of the sealed layout and a piece. */
const BODY = payload(200_003);
const RANGES = [
  'bytes=0-0',
  'bytes=0-9',
  'bytes=5-',
  'bytes=-7',
  'bytes=65530-65545',
  'bytes=60000-140000',
  'bytes=200002-',
  'bytes=199990-999999',
  'bytes=-999999',
  'bytes=200003-',
  'bytes=-0',
  'bytes=9-5',
  'bytes=x-y',
  'bytes=1-2,4-5',
  'lines=1-2',
  'bytes=-',
  'bytes= -1',
  'bytes=1 - 2',
  'bytes=1-2,',
] as const;

const ATTRIBUTES = [
  'ETag',
  'ObjectSize',
  'StorageClass',
  'ETag,ObjectSize',
  'ObjectParts',
  'Checksum',
  'Nonsense',
] as const;

const PAST = 'Sat, 01 Jan 2000 00:00:00 GMT';
const FUTURE = 'Fri, 01 Jan 2100 00:00:00 GMT';
const CONDITIONS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['if-match', { 'if-match': '{etag}' }],
  ['if-match *', { 'if-match': '*' }],
  ['if-match another', { 'if-match': '"0123456789abcdef0123456789abcdef"' }],
  ['if-none-match', { 'if-none-match': '{etag}' }],
  ['if-none-match *', { 'if-none-match': '*' }],
  ['if-none-match another', { 'if-none-match': '"0123456789abcdef0123456789abcdef"' }],
  ['if-modified-since long ago', { 'if-modified-since': PAST }],
  ['if-modified-since now', { 'if-modified-since': '{modified}' }],
  ['if-unmodified-since long ago', { 'if-unmodified-since': PAST }],
  ['if-unmodified-since the future', { 'if-unmodified-since': FUTURE }],
  ['if-match and if-unmodified-since', { 'if-match': '{etag}', 'if-unmodified-since': PAST }],
  ['if-none-match and if-modified-since', { 'if-none-match': '{etag}', 'if-modified-since': PAST }],
  ['a date that is none', { 'if-modified-since': 'yesterday' }],
];

export const READS: readonly Scenario[] = [
  {
    name: 'ranges',
    steps: [
      put('put', 'k', BODY),
      ...RANGES.flatMap((range) => [
        get(`get ${range}`, 'k', { headers: { range } }),
        head(`head ${range}`, 'k', { headers: { range } }),
      ]),
      put('put nothing', 'empty', ''),
      get('get 0-0 of nothing', 'empty', { headers: { range: 'bytes=0-0' } }),
      get('get -1 of nothing', 'empty', { headers: { range: 'bytes=-1' } }),
      get('get of an absent one', 'absent', { headers: { range: 'bytes=0-0' } }),
      get('part 1', 'k', { query: { partNumber: '1' } }),
      head('head of part 1', 'k', { query: { partNumber: '1' } }),
      get('part 2', 'k', { query: { partNumber: '2' } }),
      get('part 1 of nothing', 'empty', { query: { partNumber: '1' } }),
      ...ATTRIBUTES.map((which) =>
        get(`attributes ${which}`, 'k', { query: { attributes: '' }, headers: { 'x-amz-object-attributes': which } }),
      ),
      get('attributes without a word', 'k', { query: { attributes: '' } }),
      get('attributes of an absent one', 'absent', {
        query: { attributes: '' },
        headers: { 'x-amz-object-attributes': 'ETag' },
      }),
    ],
  },
  {
    name: 'conditions',
    steps: [
      put('put', 'k', 'condition', { headers: { 'cache-control': 'max-age=1' }, keep: { etag: 'header etag' } }),
      head('head', 'k', { keep: { modified: 'header last-modified' } }),
      ...CONDITIONS.filter(([name]) => !name.includes('quotes')).flatMap(([name, headers]) => [
        get(`get ${name}`, 'k', { headers }),
        head(`head ${name}`, 'k', { headers }),
      ]),
      get('get if-match with a range', 'k', { headers: { 'if-match': '{etag}', range: 'bytes=1-3' } }),
      get('if-match of an absent one', 'absent', { headers: { 'if-match': '*' } }),
      get('if-none-match of an absent one', 'absent', { headers: { 'if-none-match': '*' } }),
      put('put if none', 'new', 'x', { headers: { 'if-none-match': '*' } }),
      put('put if none, again', 'new', 'y', { headers: { 'if-none-match': '*' } }),
      put('put if match', 'k', 'changed', { headers: { 'if-match': '{etag}' }, keep: { newEtag: 'header etag' } }),
      put('put if match what was', 'k', 'again', { headers: { 'if-match': '{etag}' } }),
      put('put if match an absent one', 'absent', 'x', { headers: { 'if-match': '{etag}' } }),
      get('what is left', 'k'),
      get('if-range holds', 'k', { headers: { 'if-range': '{newEtag}', range: 'bytes=1-3' } }),
      get('if-range does not hold', 'k', { headers: { 'if-range': '{etag}', range: 'bytes=1-3' } }),
    ],
  },
];
