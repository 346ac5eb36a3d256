import { describe, expect, it } from 'vitest';
import { readContext } from '../../src/encryption/context.ts';
import { keyNameIn } from '../../src/encryption/key-id.ts';
import { refusalOf } from '../pipeline/in-process.ts';

describe('the id of a key', () => {
  it.each([
    ['cards', 'cards'],
    ['pay/cards', 'pay/cards'],
    ['alias/cards', 'cards'],
    ['alias/pay/cards', 'pay/cards'],
    ['key/cards', 'key/cards'],
    ['arn:aws:kms:eu-central-1:123456789012:key/cards', 'cards'],
    ['arn:aws:kms:eu-central-1:123456789012:alias/pay/cards', 'pay/cards'],
    ['arn:aws-cn:kms:::key/key/cards', 'key/cards'],
  ])('%s names %s', (id, name) => {
    expect(keyNameIn(id)).toBe(name);
  });

  it.each([
    'arn:aws:s3:::key/cards',
    'arn:aws:kms:eu-central-1:123456789012:cards',
    'arn:aws:kms:eu-central-1:123456789012:grant/cards',
    'arn:aws:kms:key/cards',
    'arn:',
    `arn:aws:kms:${'x'.repeat(2048)}:123456789012:key/cards`,
  ])('%s names no key', (id) => {
    expect(keyNameIn(id)).toBeUndefined();
  });
});

describe('an encryption context', () => {
  const sent = (text: string) => Buffer.from(text).toString('base64');
  const read = (text: string) => readContext(text).toString('utf8');
  const refusal = (text: string) => refusalOf((async () => readContext(text))());

  it('gets its canonical form', () => {
    expect(read(sent(' {"b":"2", "a":"ü"}\n'))).toBe('{"a":"ü","b":"2"}');
    expect(read(sent('{}'))).toBe('{}');
  });

  it('takes 1,024 bytes in that form, and white space does not count', async () => {
    const long = (bytes: number) => `{ "k" : "${'x'.repeat(bytes - '{"k":""}'.length)}" }`;
    expect(read(sent(long(1024)))).toHaveLength(1024);
    expect(await refusal(sent(long(1025)))).toBe('InvalidArgument');
  });

  it.each([
    ['nothing', ''],
    ['no base64', '{"a":"b"}'],
    ['base64 with a blank', `${sent('{"a":"b"}')} `],
    ['base64 without padding', sent('{"a":"bc"}').replace(/=+$/, '')],
    ['no JSON', sent('a=b')],
    ['no UTF-8', Buffer.from('{"a":"\xff"}', 'latin1').toString('base64')],
    ['a list', sent('["a"]')],
    ['a text', sent('"a"')],
    ['null', sent('null')],
    ['a number as a value', sent('{"a":1}')],
    ['a map as a value', sent('{"a":{"b":"c"}}')],
  ])('that is %s is refused', async (_what, text) => {
    expect(await refusal(text)).toBe('InvalidArgument');
  });
});
