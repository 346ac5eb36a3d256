import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { readXml, type XmlElement, type XmlLimits } from '../../../src/wire/xml/xml.ts';
import fc, { runs } from '../../support/property.ts';
import { readWithSaxes } from './xml-oracle.ts';

/** What the reader makes of a document; undefined if it refuses it. */
function read(document: Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement | undefined {
  try {
    return readXml(document, { maxDepth: 1_000, ...limits });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return undefined;
  }
}

interface Difference {
  readonly what: string;
  /** Whether a document may be one that this difference is about. */
  readonly about: RegExp;
  readonly example: string;
}

/** What saxes reads and our reader refuses: no SDK and no store sends it. */
const REFUSED_HERE: readonly Difference[] = [
  { what: 'a name that is not ASCII', about: /[^\x00-\x7f]/, example: '<é/>' },
  { what: 'a name with a colon at one of its ends, or with two', about: /:/, example: '<a:/>' },
  { what: 'a reference with more digits than a character needs', about: /&#x?0/, example: '<a>&#x0000041;</a>' },
  {
    what: 'an instruction with a question mark in its name, which XML forbids and saxes takes',
    about: /<\?[\w:.-]+\?(?!>)/,
    example: '<?p?q?><a/>',
  },
  { what: 'a minor version of two digits', about: /1\.\d\d/, example: '<?xml version="1.10"?><a/>' },
];

/** What our reader reads and saxes refuses: S3 sends blanks to keep a slow answer alive, and begins the document then. */
const TAKEN_HERE: readonly Difference[] = [
  {
    what: 'blanks before the XML declaration',
    about: /^\ufeff?[\t\n\r ]+<\?xml/,
    example: ' \n<?xml version="1.0"?><a/>',
  },
];

/** Compares the two readers. A difference must be a named one. */
function compare(bytes: Uint8Array): void {
  const ours = read(bytes);
  const theirs = readWithSaxes(bytes);
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const isNamed = (differences: readonly Difference[]) => differences.some(({ about }) => about.test(text));
  if (ours !== undefined && theirs === undefined && isNamed(TAKEN_HERE)) return;
  if (ours === undefined && theirs !== undefined && isNamed(REFUSED_HERE)) return;
  expect({ text, read: ours }).toEqual({ text, read: theirs });
}

describe('the reader and saxes', () => {
  const character = fc.constantFrom(
    ...['a', ' ', '&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&#34;', '&#x22;', '&#x1F642;', '&#13;', '&#9;'],
    ...['\u00fc', '\u65e5', '\u{1f642}', ']', '>', '"', "'", '\r\n', '\r', '\n', '\t', '\ufeff', '\u0085', '\u2028'],
  );
  const text = fc.array(character, { maxLength: 8 }).map((characters) => characters.join(''));
  const name = fc.constantFrom('a', 'B', 'Key', 'x:y', '_z.1-');
  const attributes = fc.constantFrom('', ' ', ' b="1"', ` b='"' c = ">"`, '\n b="&lt;"\t', ' xml:lang="a&#10;b"');
  const aside = fc.constantFrom(
    '',
    '<!-- c - d -->',
    '<!---->',
    '<?p i?>',
    '<?p?>',
    '<![CDATA[]]>',
    '<![CDATA[<&>]]]]>',
  );
  const content = fc.letrec((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      text,
      aside,
      fc.tuple(name, attributes).map(([tag, more]) => `<${tag}${more}/>`),
      fc
        .tuple(name, attributes, fc.array(tie('node'), { maxLength: 4 }), fc.constantFrom('', ' ', '\n'))
        .map(([tag, more, children, blank]) => `<${tag}${more}>${children.join('')}</${tag}${blank}>`),
    ),
  })).node as fc.Arbitrary<string>;
  const prolog = fc.constantFrom(
    '',
    '\ufeff',
    '\n',
    '<?xml version="1.0"?>',
    "\ufeff<?xml version='1.0' encoding='utf-8'?>\r\n",
    '<?xml version="1.1" encoding="UTF-8" standalone="no" ?>\n<!-- c -->',
  );
  const document = fc
    .tuple(prolog, name, attributes, fc.array(content, { maxLength: 6 }), fc.constantFrom('', '\n', '<!-- end -->\n'))
    .map(([before, tag, more, inner, after]) => `${before}<${tag}${more}>${inner.join('')}</${tag}>${after}`);

  const damage = fc.record({
    at: fc.nat(),
    drop: fc.nat({ max: 3 }),
    put: fc.constantFrom(
      ...['', '<', '>', '&', '/', '"', "'", ';', '=', ':', '?', '!', '-', '#', 'x', ' ', '\n', '\r', 'a', '1'],
      ...[']]>', '<![CDATA[', '<!--', '-->', '--', '<?', '?>', '<?xml version="1.0"?>', '<!DOCTYPE a>', '</a>', '<a>'],
      ...['&#1;', '&#x0;', '&#xD800;', '&#xFFFE;', '&#x110000;', '&#32;', '&nbsp;', '&#X41;', '&#-1;', '&a b;'],
      ...['\0', '\x01', '\x1f', '\x7f', '\ufffe', '\uffff', '\ufeff', '\u00e9'],
    ),
  });

  test('read the same out of documents that are well-formed, or refuse the same', () => {
    fc.assert(
      fc.property(document, (written) => compare(Buffer.from(written))),
      { numRuns: runs(1_000) },
    );
  });

  test('and of damaged ones', () => {
    fc.assert(
      fc.property(document, fc.array(damage, { minLength: 1, maxLength: 3 }), (written, damages) => {
        let damaged = written;
        for (const { at, drop, put } of damages) {
          const place = at % (damaged.length + 1);
          damaged = damaged.slice(0, place) + put + damaged.slice(place + drop);
        }
        compare(Buffer.from(damaged));
      }),
      { numRuns: runs(8_000) },
    );
  });

  test('and of documents with bytes that are no UTF-8', () => {
    fc.assert(
      fc.property(document, fc.nat(), fc.constantFrom(0x80, 0xc0, 0xc3, 0xed, 0xf5, 0xff), (written, at, byte) => {
        const bytes = Buffer.from(written);
        bytes[at % bytes.length] = byte;
        compare(bytes);
      }),
      { numRuns: runs(1_000) },
    );
  });

  test.each(REFUSED_HERE)('differ in $what, which our reader refuses', ({ about, example }) => {
    expect(example).toMatch(about);
    expect([read(Buffer.from(example)), readWithSaxes(Buffer.from(example))]).toEqual([undefined, expect.anything()]);
  });

  test.each(TAKEN_HERE)('differ in $what, which our reader takes', ({ about, example }) => {
    expect(example).toMatch(about);
    expect([read(Buffer.from(example)), readWithSaxes(Buffer.from(example))]).toEqual([expect.anything(), undefined]);
  });

  test('differ in references to control characters where the document is a store’s, and in nothing else', () => {
    const reference = fc.constantFrom('&#1;', '&#x1;', '&#x0;', '&#31;', '&#xFFFE;', '&#xFFFF;');
    fc.assert(
      fc.property(text, reference, text, (before, control, after) => {
        const written = (key: string) => Buffer.from(`<R><Key b="${control}">${key}</Key></R>`);
        const inside = (key: string) => key.replaceAll(']]>', ']]&gt;');
        const bytes = written(inside(before) + control + inside(after));
        expect([read(bytes), readWithSaxes(bytes)]).toEqual([undefined, undefined]);
        const plain = readWithSaxes(Buffer.from(`<R><Key>${inside(before)}\u{10fffd}${inside(after)}</Key></R>`));
        const number = control.slice(2, -1).replace('x', '0x');
        const expected = plain?.children[0]?.text.replace('\u{10fffd}', String.fromCharCode(Number(number)));
        expect(read(bytes, { controlReferences: 'taken' })?.children[0]?.text).toBe(expected);
      }),
      { numRuns: runs(500) },
    );
  });
});
