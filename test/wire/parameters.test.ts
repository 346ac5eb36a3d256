import { expect, test } from 'vitest';
import { parseParameters } from '../../src/wire/parameters.ts';

test.each([
  ['form-data', 'form-data', {}],
  [' Form-Data ; name=a', 'form-data', { name: 'a' }],
  ['form-data; name="a b"; filename="c.txt"', 'form-data', { name: 'a b', filename: 'c.txt' }],
  ['form-data;NAME="a"', 'form-data', { name: 'a' }],
  ['form-data; name="a\\"b"', 'form-data', { name: 'a"b' }],
  ['form-data; name="a\\\\b"', 'form-data', { name: 'a\\b' }],
  ['form-data; filename="C:\\new folder\\x.txt"', 'form-data', { filename: 'C:\\new folder\\x.txt' }],
  ['form-data; filename=""', 'form-data', { filename: '' }],
  ['form-data; filename="a;b=c"', 'form-data', { filename: 'a;b=c' }],
  ['form-data; name="gr\xc3\xbc"', 'form-data', { name: 'gr\xc3\xbc' }],
  ["form-data; filename*=UTF-8''x", 'form-data', { 'filename*': "UTF-8''x" }],
  [
    'multipart/form-data; boundary=----WebKitFormBoundaryAbC',
    'multipart/form-data',
    { boundary: '----WebKitFormBoundaryAbC' },
  ],
  [
    'multipart/form-data; charset=utf-8; boundary="a:b c";',
    'multipart/form-data',
    { charset: 'utf-8', boundary: 'a:b c' },
  ],
])('%s', (text, value, parameters) => {
  const parsed = parseParameters(text);
  expect([parsed?.value, Object.fromEntries(parsed?.parameters ?? [])]).toEqual([value, parameters]);
});

test.each([
  '',
  '; name=a',
  'form-data name=a',
  'form-data; name',
  'form-data; name=',
  'form-data; name="a',
  'form-data; name="a"b',
  'form-data; name="a\\"',
  'form-data; name=a b',
  'form-data; name=a; Name=b',
  'form-data; name="a\nb"',
  'form-data; name="a\\\nb"',
  'form-data; name="a\0"',
  'form-data;; name=a',
])('refuses %j', (text) => {
  expect(parseParameters(text)).toBeUndefined();
});
