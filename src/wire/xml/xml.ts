import { clientError, type GatewayError } from '../../errors.ts';
import { type ControlReferences, type XmlHandler, XmlScanner } from './xml-scanner.ts';

/**
 * XML as S3-like dialects use it: small documents of elements and text, read into a tree. `XmlScanner` reads the bytes
 * and says what is well-formed; this file bounds the tree. Documents that may be long have a handler of their own on
 * the scanner instead.
 */
export interface XmlElement {
  /** The local name: a namespace prefix is dropped. */
  readonly name: string;
  /** The element's own text, CDATA included, untrimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

export interface XmlLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
  /**
   * Stores spell a control character in a key as a reference (`&#x1;`), which XML 1.0 forbids. A reader of a store's
   * documents takes such references; a client's documents are held to XML 1.0.
   */
  readonly controlReferences: ControlReferences;
  /** Makes the error to throw: a client's document and a backend's are different faults. */
  readonly malformed: (reason: string) => GatewayError;
}

/** A DeleteObjects of 1,000 keys with version ids, the longest document that these are for, has 3,002 elements. */
const DEFAULT_LIMITS: XmlLimits = {
  maxDepth: 16,
  maxElements: 20_000,
  controlReferences: 'refused',
  malformed: (reason) => clientError('MalformedBody', `The XML in the request body ${reason}.`),
};

/**
 * Reads one strict XML 1.0 document in UTF-8. The caller has bounded its bytes.
 * @returns the root element
 * @throws what `limits.malformed` makes (default: GatewayError MalformedBody of the client)
 */
export function readXml(document: Uint8Array, limits: Partial<XmlLimits> = {}): XmlElement {
  const { maxElements, ...scanned } = { ...DEFAULT_LIMITS, ...limits };
  const tree = new Tree(maxElements, scanned.malformed);
  const scanner = new XmlScanner(tree, { ...scanned, maxTextLength: document.length });
  scanner.push(Buffer.from(document.buffer, document.byteOffset, document.byteLength));
  scanner.end();
  return tree.root;
}

interface OpenElement {
  readonly name: string;
  text: string;
  readonly children: OpenElement[];
}

/** The elements of a document, kept as the scanner tells them. */
class Tree implements XmlHandler {
  readonly #outside: OpenElement = { name: '', text: '', children: [] };
  readonly #open: OpenElement[] = [this.#outside];
  readonly #maxElements: number;
  readonly #malformed: XmlLimits['malformed'];
  #elements = 0;

  constructor(maxElements: number, malformed: XmlLimits['malformed']) {
    this.#maxElements = maxElements;
    this.#malformed = malformed;
  }

  /** Of a document that the scanner has read to its end. */
  get root(): XmlElement {
    return this.#outside.children[0] as XmlElement;
  }

  open(name: string, _depth: number, textBefore: string): void {
    if (++this.#elements > this.#maxElements) throw this.#malformed('has too many elements');
    const element: OpenElement = { name, text: '', children: [] };
    const parent = this.#open[this.#open.length - 1] as OpenElement;
    parent.text += textBefore;
    parent.children.push(element);
    this.#open.push(element);
  }

  close(_name: string, text: string): void {
    (this.#open.pop() as OpenElement).text += text;
  }
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
