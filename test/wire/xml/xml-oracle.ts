import { SaxesParser } from 'saxes';
import type { XmlElement } from '../../../src/wire/xml/xml.ts';

/**
 * Reads a document with saxes, a parser that shares no code with ours, into the tree that `readXml` makes. Tests hold
 * our reader against it.
 * @returns undefined for a document that saxes refuses, or that is refused on purpose: a DOCTYPE, another encoding
 */
export function readWithSaxes(document: Uint8Array): XmlElement | undefined {
  const outside = { name: '', text: '', children: [] as XmlElement[] };
  const open = [outside];
  const top = () => open[open.length - 1] as typeof outside;
  const refuse = (): never => {
    throw new Refused();
  };
  const addText = (text: string) => {
    top().text += text;
  };
  // XML 1.1 would turn U+0085 and U+2028 into line feeds. The reader takes every document for 1.0, so must its oracle.
  const parser = new SaxesParser({ position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') refuse();
  });
  parser.on('opentag', ({ name }) => {
    const element = { name: name.slice(name.indexOf(':') + 1), text: '', children: [] };
    top().children.push(element);
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  parser.on('text', addText);
  parser.on('cdata', addText);
  try {
    parser.write(strictUtf8.decode(document)).close();
  } catch (error) {
    if (error instanceof Refused || error instanceof TypeError) return undefined;
    throw error;
  }
  return outside.children[0];
}

class Refused extends Error {}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
