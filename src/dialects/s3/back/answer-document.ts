import type { GatewayError } from '../../../errors.ts';
import { parseIsoDate } from '../../../wire/dates.ts';
import { readXml, type XmlElement, xmlText } from '../../../wire/xml/xml.ts';
import type { AnswerHead } from '../../backend-calls.ts';
import { unusable } from './answer-head.ts';
import { readError, withoutLeadingBlanks } from './error.ts';

/** Reads the small documents of a store's answers. Listings of objects have a reader of their own (listing-page.ts). */

const LIMITS = {
  maxDepth: 8,
  maxElements: 40_000,
  controlReferences: 'taken' as const,
  malformed: (reason: string): GatewayError => unusable(reason),
};

/** @throws GatewayError BackendError for another document than `root`, or for none */
export function readDocument(document: Buffer, root: string): XmlElement {
  const element = readXml(withoutLeadingBlanks(document), LIMITS);
  if (element.name !== root) throw unusable(`is a ${element.name} document, not ${root}`);
  return element;
}

/**
 * Reads what a write that takes long was answered with. S3 sends the head before it knows the outcome, so 200 may carry an
 * error (API reference: CompleteMultipartUpload, "Response Syntax"; CopyObject, "Response and special errors").
 * @throws GatewayError, StoreClaim the error in the document; GatewayError BackendError
 */
export function readAcknowledgement(document: Buffer, head: AnswerHead, root: string): XmlElement {
  if (document.includes('<Error>')) throw readError(head, document, {});
  return readDocument(document, root);
}

/** @throws GatewayError BackendError where the element is missing */
export function required(element: XmlElement, name: string): string {
  const text = xmlText(element, name);
  if (text === undefined) throw unusable(`has a ${element.name} without ${name}`);
  return text;
}

/** @throws GatewayError BackendError */
export function readNumber(element: XmlElement, name: string): number {
  const number = Number(required(element, name));
  if (!Number.isSafeInteger(number) || number < 0) throw unusable(`has a ${name} that is not a number`);
  return number;
}

/** @throws GatewayError BackendError */
export function readDate(element: XmlElement, name: string): Date {
  const date = parseIsoDate(required(element, name));
  if (date === undefined) throw unusable(`has a ${name} that is not a date`);
  return date;
}

/** undefined for an empty element, which some stores send in place of none. */
export function present(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * Decodes a name that a listing encoded because `encoding-type=url` asked for it. S3 and MinIO write a blank as `+` here,
 * and a plus as %2B.
 * @throws GatewayError BackendError
 */
export function urlDecoded(text: string): string {
  const blanks = text.includes('+') ? text.replaceAll('+', '%20') : text;
  if (!blanks.includes('%')) return blanks;
  try {
    return decodeURIComponent(blanks);
  } catch {
    throw unusable('has a name that is not valid UTF-8');
  }
}
