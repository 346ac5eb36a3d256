import { clientError, type GatewayError } from '../../errors.ts';
import { type ControlReferences, type XmlHandler, XmlScanner } from './xml-scanner.ts';

/**
 * An element of a small XML document that is read into a tree by `readXml`. Documents that may be long are read with a
 * handler on `XmlScanner` instead.
 */
export interface XmlElement {
  /** The name without a namespace prefix. */
  readonly name: string;
  /** The element's own text, with CDATA and untrimmed. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

/** What `readXml` refuses, and with which error. */
export interface XmlLimits {
  readonly maxDepth: number;
  readonly maxElements: number;
  /**
   * Whether references to control characters are read, which XML 1.0 forbids. They are read in documents of stores,
   * which write a control character of a key so (`&#x1;`), and refused in those of clients.
   */
  readonly controlReferences: ControlReferences;
  /** Makes the error to throw, which is the client's fault or the store's. */
  readonly malformed: (reason: string) => GatewayError;
}

/** The default limits, which are those for documents of clients. */
const DEFAULT_LIMITS: XmlLimits = {
  maxDepth: 16,
  maxElements: 20_000,
  controlReferences: 'refused',
  malformed: (reason) => clientError('MalformedBody', `The XML in the request body ${reason}.`),
};

/**
 * Reads a document of strict XML 1.0 in UTF-8 into a tree. The caller must have bounded its size.
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

/** Makes a tree of the elements that the scanner reads. */
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

  /** The root element, once the scanner has read the document to its end. */
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

/** Returns the first child of a name. */
export function xmlChild(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** Returns all children of a name. */
export function xmlChildren(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** Returns the text of the first child of a name, or undefined. */
export function xmlText(element: XmlElement, name: string): string | undefined {
  return xmlChild(element, name)?.text;
}

/** What every document of the gateway begins with. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const NAMED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Finds characters that must be written as references: markup, C0 and C1 controls, the line ends that parsers
 * normalise, U+FFFE and U+FFFF. XML 1.0 does not allow references to most controls, but S3 sends them and SDKs read
 * them.
 */
const UNSAFE = /[&<>"'\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/g;
const ANY_UNSAFE = /[&<>"'\u0000-\u001f\u007f-\u009f\u2028\ufffe\uffff]/;

/** Escapes a text for the content of an element or for a quoted attribute. */
export function xmlEscape(text: string): string {
  return ANY_UNSAFE.test(text) ? text.replace(UNSAFE, reference) : text;
}

function reference(character: string): string {
  // The AWS SDK for JavaScript decodes two of these references, and only if they are spelled &#xD; and &#10;.
  return character === '\n'
    ? '&#10;'
    : (NAMED[character] ?? `&#x${character.charCodeAt(0).toString(16).toUpperCase()};`);
}

/** Writes an element, `<Name>text</Name>`, with its text escaped; '' for undefined. */
export function xmlElement(name: string, text: string | number | boolean | undefined): string {
  if (text === undefined) return '';
  return `<${name}>${typeof text === 'string' ? xmlEscape(text) : text}</${name}>`;
}
