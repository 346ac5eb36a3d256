import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import type { XmlElement } from '../../../src/wire/xml/xml.ts';
import { XmlScanner, type XmlScannerLimits } from '../../../src/wire/xml/xml-scanner.ts';
import fc, { runs } from '../../support/property.ts';
import { readWithSaxes } from './xml-oracle.ts';

const LIMITS: XmlScannerLimits = {
  maxDepth: 16,
  maxTextLength: 4096,
  controlReferences: 'taken',
  malformed: (reason) => new GatewayError('MalformedBody', reason, { source: 'client' }),
};

/** What the scanner tells of a document that comes in chunks, as lines; or its refusal. */
function scan(document: string | Buffer, chunkBytes: number, limits: Partial<XmlScannerLimits> = {}): string[] {
  const told: string[] = [];
  const scanner = new XmlScanner(
    {
      open: (name, depth) => told.push(`${depth} <${name}>`),
      close: (name, text, depth) => told.push(`${depth} </${name}> ${JSON.stringify(text)}`),
    },
    { ...LIMITS, ...limits },
  );
  const bytes = Buffer.from(document);
  // As sockets do, the same memory comes again and again.
  const reused = Buffer.alloc(Math.min(chunkBytes, bytes.length));
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const length = bytes.copy(reused, 0, at, at + chunkBytes);
      scanner.push(reused.subarray(0, length));
      reused.fill(0x3c);
    }
    scanner.end();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [error.message];
  }
  return told;
}

/** The same from a tree that another parser read. */
function lines(element: XmlElement, depth = 1): string[] {
  const { name, text, children } = element;
  return [
    `${depth} <${name}>`,
    ...children.flatMap((child) => lines(child, depth + 1)),
    `${depth} </${name}> ${JSON.stringify(children.length === 0 ? text : '')}`,
  ];
}

/** Text with markup between, written so that it is well-formed: `]]>` may not stand in it (XML 1.0 §2.4). */
function characterData(...pieces: readonly string[]): string {
  return pieces.join('').replaceAll(']]>', ']]&gt;');
}

const CHUNKINGS = [1, 3, 17, 1_000_000];

test('elements, text, CDATA, references, comments, instructions, attributes, prefixes, line ends', () => {
  const document =
    '\ufeff<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- c - c -->' +
    '<s:A xmlns:s="x" b=\'c>"\' ><s:B> t&lt;&#x41;&#66;<!-- <c> --><![CDATA[<&>]]]>\u00fc\r\n\r]</s:B ><C/><C b="&amp;" />' +
    '<?pi a>b?><D>1<e/>2</D></s:A>\n<!-- end -->\n';
  for (const chunkBytes of CHUNKINGS) {
    expect(scan(document, chunkBytes)).toEqual([
      '1 <A>',
      '2 <B>',
      `2 </B> ${JSON.stringify(' t<AB<&>]\u00fc\n\n]')}`,
      '2 <C>',
      '2 </C> ""',
      '2 <C>',
      '2 </C> ""',
      '2 <D>',
      '3 <e>',
      '3 </e> ""',
      '2 </D> "2"',
      '1 </A> ""',
    ]);
  }
});

test('a reference to a control character is taken or refused, as the limits say; raw it is not taken', () => {
  expect(scan('<a>&#1;&#x0;</a>', 1)).toEqual(['1 <a>', '1 </a> "\\u0001\\u0000"']);
  expect(scan('<a>&#1;</a>', 1, { controlReferences: 'refused' })).toEqual(['is not well-formed']);
  expect(scan('<a>\x01</a>', 1)).toEqual(['is not well-formed']);
});

describe('tells what another parser reads', () => {
  const character = fc.constantFrom(
    'a',
    ' ',
    '&amp;',
    '&lt;',
    '&#34;',
    '&#x1F642;',
    'ü',
    '日',
    '🙂',
    ']',
    '>',
    '\r\n',
    '\ufeff',
    '\u2028',
  );
  const run = fc.array(character, { maxLength: 8 }).map((characters) => characters.join(''));
  const name = fc.constantFrom('a', 'B', 'Key', 'x:y', '_z.1-');
  const attributes = fc.constantFrom('', ' ', ' b="1"', ` b='"' c = ">"`, '\n b="&lt;"\t');
  const leaf = fc
    .tuple(name, attributes, run, fc.constantFrom('', '<!-- c -->', '<?p i?>'))
    .map(([tag, more, text, within]) => `<${tag}${more}>${characterData(text, within, text)}</${tag}>`);
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      leaf,
      name.map((tag) => `<${tag}/>`),
      fc
        .tuple(name, attributes, fc.array(tie('node'), { maxLength: 4 }))
        .map(([tag, more, children]) => `<${tag}${more}>${children.join('\n')}</${tag}>`),
    ),
  })).node as fc.Arbitrary<string>;

  test('whatever the document and the chunks', () => {
    fc.assert(
      fc.property(tree, fc.integer({ min: 1, max: 40 }), (document, chunkBytes) => {
        const tree = readWithSaxes(Buffer.from(document));
        if (tree === undefined) throw new Error('the generator made no XML');
        const expected = lines(tree);
        // Text between elements means nothing here, and the two readers keep different pieces of it.
        const scanned = scan(document, chunkBytes);
        expect(scanned.map((line) => line.replace(/ "(?:\\n)*"$/, ' ""'))).toEqual(
          expected.map((line) => line.replace(/ "(?:\\n)*"$/, ' ""')),
        );
      }),
      { numRuns: runs(500) },
    );
  });

  test('and refuses every document that it refuses', () => {
    fc.assert(
      fc.property(
        tree,
        fc.nat(),
        fc.constantFrom('<', '>', '&', '/', '"', ';', ']]>', 'a', ''),
        (document, at, damage) => {
          const place = at % document.length;
          const damaged = document.slice(0, place) + damage + document.slice(place + 1);
          // The one thing that is taken here and not there.
          const references = [...damaged.matchAll(/&#(x?)([0-9a-fA-F]+);/g)];
          fc.pre(
            references.every(([, hex, digits]) => Number.parseInt(digits as string, hex === 'x' ? 16 : 10) >= 0x20),
          );
          const refused = readWithSaxes(Buffer.from(damaged)) === undefined;
          const scanned = scan(damaged, 5);
          if (refused) expect([damaged, scanned.length]).toEqual([damaged, 1]);
        },
      ),
      { numRuns: runs(2000) },
    );
  });
});

describe('refuses', () => {
  test.each([
    ['a document type', '<!DOCTYPE a><a/>', 'has a document type declaration, which is not allowed'],
    ['an internal entity', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'has a document type declaration'],
    ['an unknown entity', '<a>&nbsp;</a>', 'is not well-formed'],
    ['an entity named like a property', '<a>&constructor;</a>', 'is not well-formed'],
    ['nothing', '', 'is empty'],
    ['blanks', '  \n', 'is empty'],
    ['text', 'hello', 'ends too early'],
    ['two prefixes', '<a:b:c/>', 'is not well-formed'],
    ['text before the root', 'x<a/>', 'is not well-formed'],
    ['an open element', '<a><b></b>', 'ends too early'],
    ['an open tag', '<a/><!-- ', 'ends too early'],
    ['crossed elements', '<a><b></a></b>', 'is not well-formed'],
    ['another prefix at the end', '<x:a></y:a>', 'is not well-formed'],
    ['two roots', '<a/><b/>', 'is not well-formed'],
    ['text after the root', '<a/>x', 'ends too early'],
    ['a close too many', '<a/></a>', 'is not well-formed'],
    ['a close with attributes', '<a></a b="1">', 'is not well-formed'],
    ['an attribute twice', '<a b="1" b="2"/>', 'is not well-formed'],
    ['an attribute without quotes', '<a b=1/>', 'is not well-formed'],
    ['a bad reference in an attribute', '<a b="&x;"/>', 'is not well-formed'],
    ['markup in an attribute', '<a b="<"/>', 'is not well-formed'],
    ['a name with a blank before it', '< a/>', 'is not well-formed'],
    ['a name that begins with a digit', '<1/>', 'is not well-formed'],
    ['a prefix and no name', '<a:></a:>', 'is not well-formed'],
    ['a NUL', '<a>\0</a>', 'is not well-formed'],
    ['a character that is none', '<a>\uffff</a>', 'is not well-formed'],
    ['a reference to a surrogate', '<a>&#xD800;</a>', 'is not well-formed'],
    ['a reference past Unicode', '<a>&#x110000;</a>', 'is not well-formed'],
    ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><a/>', 'is not declared as UTF-8'],
    ['a declaration with two kinds of quotes', '<?xml version="1.0\'?><a/>', 'is not well-formed'],
    ['a late declaration', '<a/><?xml version="1.0"?>', 'is not well-formed'],
    ['a bare ampersand', '<a>a & b</a>', 'is not well-formed'],
    ['an instruction without a name', '<a><?< i?></a>', 'is not well-formed'],
    ['a hyphen at the end of a comment', '<a><!-- ---></a>', 'is not well-formed'],
    ['two hyphens in a comment', '<a><!-- -- --></a>', 'is not well-formed'],
    ['a CDATA end in text', '<a>]]></a>', 'is not well-formed'],
    ['CDATA outside of the root', '<a/><![CDATA[x]]>', 'is not well-formed'],
    ['blanks as CDATA outside of the root', '<![CDATA[ ]]><a/>', 'is not well-formed'],
    ['a blank as a reference outside of the root', '&#32;<a/>', 'is not well-formed'],
    ['a control character in CDATA', '<a><![CDATA[\x01]]></a>', 'is not well-formed'],
    ['a control character in a comment', '<a><!--\x01--></a>', 'is not well-formed'],
    ['a control character in an instruction', '<a><?p \x01?></a>', 'is not well-formed'],
    ['a truncated sequence', Buffer.from([0x3c, 0x61, 0x3e, 0xc3, 0x3c, 0x2f, 0x61, 0x3e]), 'is not valid UTF-8'],
    ['an overlong sequence', Buffer.from('<a>\xc0\xaf</a>', 'latin1'), 'is not valid UTF-8'],
    ['a surrogate in UTF-8', Buffer.from('<a>\xed\xa0\x80</a>', 'latin1'), 'is not valid UTF-8'],
    ['17 levels', '<a>'.repeat(17), 'is nested too deeply'],
    ['a long text', `<a>${'x'.repeat(5000)}</a>`, 'has too long a text'],
    ['a long text in pieces', `<a>${'x'.repeat(3000)}<!-- -->${'x'.repeat(3000)}</a>`, 'has too long a text'],
    ['a long tag', `<a b="${'x'.repeat(9000)}`, 'has too long a text'],
  ])('%s', (_what, document, reason) => {
    for (const chunkBytes of [1, 7, 1_000_000]) {
      const told = scan(document, chunkBytes);
      expect([told.length, told[0]]).toEqual([1, expect.stringContaining(reason)]);
    }
  });
});
