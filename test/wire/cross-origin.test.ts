import { describe, expect, it } from 'vitest';
import { appendCrossOrigin, crossOriginAnswer, crossOriginQuestion, letsRead } from '../../src/wire/cross-origin.ts';
import { HeaderList } from '../../src/wire/headers.ts';

describe('what goes to and fro of a browser’s question', () => {
  it('is of the request what asks about a page, and nothing that says who asks', () => {
    const request = HeaderList.of([
      ['origin', 'https://app.example.com'],
      ['Access-Control-Request-Method', 'PUT'],
      ['access-control-request-headers', ''],
      ['Authorization', 'AWS4-HMAC-SHA256 …'],
      ['Cookie', 'session=1'],
      ['X-Forwarded-For', '10.0.0.1'],
    ]);
    expect(crossOriginQuestion(request).toRaw()).toEqual([
      ...['Origin', 'https://app.example.com'],
      ...['Access-Control-Request-Method', 'PUT'],
    ]);
  });

  it('is of the answer what speaks of pages, and nothing of the store', () => {
    const answer = HeaderList.of([
      ['Access-Control-Allow-Origin', 'https://app.example.com'],
      ['Set-Cookie', 'a=b'],
      ['Server', 'store'],
      ['Location', 'http://10.0.0.1/'],
      ['X-Amz-Request-Id', '1'],
      ['Access-Control-Of-Tomorrow', 'x'],
      ['vary', 'Origin'],
    ]);
    expect(crossOriginAnswer(answer).toRaw()).toEqual([
      ...['Access-Control-Allow-Origin', 'https://app.example.com'],
      ...['vary', 'Origin'],
    ]);
  });
});

describe('an answer that is another for another origin', () => {
  const said = (answer: string[]) => {
    const headers = new HeaderList(['ETag', '"e"']);
    appendCrossOrigin(new HeaderList(answer), headers);
    return headers.toRaw().slice(2);
  };

  it('says so to caches, once', () => {
    expect(said([])).toEqual(['Vary', 'Origin']);
    expect(said(['Vary', 'Accept-Encoding, Origin'])).toEqual(['Vary', 'Accept-Encoding, Origin']);
    expect(said(['Vary', 'origin'])).toEqual(['Vary', 'origin']);
    expect(said(['Vary', '*'])).toEqual(['Vary', '*']);
    expect(said(['Vary', 'X-Origin'])).toEqual(['Vary', 'X-Origin', 'Vary', 'Origin']);
  });

  it('lets a page read only by naming an origin', () => {
    expect(letsRead(new HeaderList(['Vary', 'Origin', 'Access-Control-Expose-Headers', 'ETag']))).toBe(false);
    expect(letsRead(new HeaderList(['access-control-allow-origin', '*']))).toBe(true);
  });
});
