import { SaxesParser } from 'saxes';
import { clientError, type GatewayError } from '../../errors.ts';

/**
 * XML as S3-like dialects use it: small documents of elements and text. The reader builds a tree within hard caps and
 * refuses what no SDK sends and attackers do: a DOCTYPE (entity expansion, external entities), depth, other encodings.
 */
export interface XmlElement {
  /** Local name: a namespace prefix is dropped. */
  readonly name: string;
  /** The element's own text, CDATA included, untrimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export interface XmlLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
  /** Makes the error to throw: a client's document and a backend's are different faults. */
  readonly malformed: (reason: string) => GatewayError;
}

/** A 1,000-key DeleteObjects with version ids is 3,002 elements; a 1,000-version listing under 12,000. */
const DEFAULT_LIMITS: XmlLimits = {
  maxDepth: 16,
  maxElements: 20_000,
  malformed: (reason) => clientError('MalformedBody', `The XML in the request body ${reason}.`),
};

interface OpenElement {
  name: string;
  text: string;
  children: XmlElement[];
}

/**
 * Reads one strict XML 1.0 document in UTF-8. The caller has bounded its bytes.
 * @returns the root element
 * @throws what `limits.malformed` makes (default: GatewayError MalformedBody of the client)
 */
export function readXml(document: Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const { maxDepth, maxElements, malformed } = { ...DEFAULT_LIMITS, ...limits };
  const outside: OpenElement = { name: '', text: '', children: [] };
  const open: OpenElement[] = [outside];
  let elements = 0;
  // XML 1.1 would turn U+0085 and U+2028 in a key into a line feed: another key. So 1.0 whatever the declaration says.
  const parser = new SaxesParser({ position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  const refuse = (reason: string): never => {
    throw malformed(reason);
  };
  const addText = (text: string) => {
    (open[open.length - 1] as OpenElement).text += text;
  };
  parser.on('error', () => refuse('is not well-formed'));
  parser.on('doctype', () => refuse('has a document type declaration, which is not allowed'));
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') refuse('is not declared as UTF-8');
  });
  parser.on('opentag', ({ name }) => {
    if (open.length > maxDepth) refuse('is nested too deeply');
    if (++elements > maxElements) refuse('has too many elements');
    const element: OpenElement = { name: localName(name), text: '', children: [] };
    (open[open.length - 1] as OpenElement).children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(decodeUtf8(document, malformed)).close();
  return outside.children[0] ?? refuse('is empty');
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(document: Uint8Array, malformed: XmlLimits['malformed']): string {
  try {
    return strictUtf8.decode(document);
  } catch {
    throw malformed('is not valid UTF-8');
  }
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  return colon === -1 ? name : name.slice(colon + 1);
}

/** The first child of that name. */
export function xmlChild(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

export function xmlChildren(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The text of the first child of that name, or undefined. */
export function xmlText(element: XmlElement, name: string): string | undefined {
  return xmlChild(element, name)?.text;
}

export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Characters that do not survive raw: markup, C0 and C1 controls, the line ends that parsers normalise, and
 * U+FFFE/U+FFFF. A reference to most controls is not XML 1.0 either, but it is what S3 sends and what SDKs read.
 */
const UNSAFE = /[&<>"'\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g;
const ANY_UNSAFE = /[&<>"'\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/;

/** Text made safe for element content and quoted attributes. */
export function xmlEscape(text: string): string {
  return ANY_UNSAFE.test(text) ? text.replace(UNSAFE, reference) : text;
}

function reference(character: string): string {
  // The AWS SDK for JavaScript registers exactly &#xD; and &#10; with its parser.
  return character === '\n'
    ? '&#10;'
    : (NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`);
}

/** `<Name>text</Name>`, the text escaped; '' for undefined. */
export function xmlElement(name: string, text: string | number | boolean | undefined): string {
  if (text === undefined) return '';
  return `<${name}>${typeof text === 'string' ? xmlEscape(text) : text}</${name}>`;
}
