import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { readXml, xmlChild, xmlChildren, xmlElement, xmlEscape, xmlText } from '../../../src/wire/xml/xml.ts';
import fc from '../../support/property.ts';

function read(text: string, limits: Parameters<typeof readXml>[1] = {}) {
  return readXml(Buffer.from(text), limits);
}

describe('reading', () => {
  test('elements, text, CDATA, references, comments, prefixes', () => {
    const root = read(
      '\ufeff<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- c --><s:A xmlns:s="x" b="c"><s:B> t&lt;&#x41;&#66;<!-- c --><![CDATA[<&]]></s:B><C/><C>2</C></s:A>\n',
    );
    expect(root.name).toBe('A');
    expect(xmlText(root, 'B')).toBe(' t<AB<&');
    expect(xmlChildren(root, 'C').map(({ text }) => text)).toEqual(['', '2']);
    expect(xmlChild(root, 'D')).toBeUndefined();
  });

  test('line ends that XML 1.1 would normalise survive, whatever version is declared', () => {
    expect(read('<?xml version="1.1"?><a>\u0085\u2028</a>').text).toBe('\u0085\u2028');
  });

  test.each([
    ['a document type', '<!DOCTYPE a><a/>'],
    ['an internal entity', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['a billion laughs', '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><l>&c;</l>'],
    ['an unknown entity', '<a>&nbsp;</a>'],
    ['nothing', ''],
    ['blanks', '  \n'],
    ['text', 'hello'],
    ['an open element', '<a><b></b>'],
    ['crossed elements', '<a><b></a></b>'],
    ['two roots', '<a/><b/>'],
    ['text after the root', '<a/>x'],
    ['an attribute twice', '<a b="1" b="2"/>'],
    ['an attribute without quotes', '<a b=1/>'],
    ['a NUL', '<a>\0</a>'],
    ['a control character', '<a>\x01</a>'],
    ['a reference to a control character', '<a>&#1;</a>'],
    ['a reference to a surrogate', '<a>&#xD800;</a>'],
    ['a reference past Unicode', '<a>&#x110000;</a>'],
    ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>'],
    ['a bare ampersand', '<a>a & b</a>'],
    ['a half comment', '<a><!-- </a>'],
    ['17 levels', `${'<a>'.repeat(17)}${'</a>'.repeat(17)}`],
    ['20,001 elements', `<a>${'<b/>'.repeat(20_000)}</a>`],
  ])('refuses %s', (_name, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'MalformedBody', source: 'client' }));
  });

  test('refuses bytes that are not UTF-8', () => {
    for (const bytes of ['<a>\xff</a>', '<a>\xc0\xaf</a>', '<a>\xed\xa0\x80</a>']) {
      expect(() => readXml(Buffer.from(bytes, 'latin1'))).toThrow(expect.objectContaining({ code: 'MalformedBody' }));
    }
  });

  test('a deep document stops at its limit, not at the stack’s', () => {
    expect(() => read('<a>'.repeat(1_000_000))).toThrow(/too deeply/);
  });

  test('limits and the error are the caller’s', () => {
    expect(read(`${'<a>'.repeat(17)}${'</a>'.repeat(17)}`, { maxDepth: 17 }).name).toBe('a');
    const malformed = (reason: string) => new GatewayError('BackendError', reason, { source: 'backend' });
    expect(() => read('<a><b/></a>', { maxElements: 1, malformed })).toThrow(
      expect.objectContaining({ code: 'BackendError', source: 'backend' }),
    );
  });

  test('nothing of the document is in the message', () => {
    expect(() => read('<a>secret&</a>')).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('writing', () => {
  test('markup, controls and line ends become references', () => {
    expect(xmlEscape(`a&<>"'\t\r\n\x00\x7f\u0085\u2028`)).toBe(
      'a&amp;&lt;&gt;&quot;&apos;&#x9;&#xD;&#10;&#x0;&#x7F;&#x85;&#x2028;',
    );
    expect(xmlEscape('plain ë 中 😀')).toBe('plain ë 中 😀');
  });

  test('elements', () => {
    expect(xmlElement('A', 'b<')).toBe('<A>b&lt;</A>');
    expect(xmlElement('A', 5) + xmlElement('A', false) + xmlElement('A', undefined)).toBe('<A>5</A><A>false</A>');
  });

  test('what is written reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text) && text.isWellFormed());
        expect(read(`<r>${xmlElement('A', text)}</r>`).children).toEqual([{ name: 'A', text, children: [] }]);
      }),
    );
  });
});
