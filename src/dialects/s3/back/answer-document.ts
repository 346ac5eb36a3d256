import type { GatewayError } from '../../../errors.ts';
import { parseIsoDate } from '../../../wire/dates.ts';
import { readXml, type XmlElement, xmlText } from '../../../wire/xml/xml.ts';
import type { AnswerHead } from '../../backend-calls.ts';
import { unusable } from './answer-head.ts';
import { readError, withoutLeadingBlanks } from './error.ts';

/* Reads the small XML documents of a store's answers. Listings of objects are read by listing-page.ts. */

const LIMITS = {
  maxDepth: 8,
  maxElements: 40_000,
  controlReferences: 'taken' as const,
  malformed: (reason: string): GatewayError => unusable(reason),
};

/** Reads a document whose root must be `root`. @throws GatewayError BackendError for any other document, or none */
export function readDocument(document: Buffer, root: string): XmlElement {
  const element = readXml(withoutLeadingBlanks(document), LIMITS);
  if (element.name !== root) throw unusable(`is a ${element.name} document, not ${root}`);
  return element;
}

/**
 * Reads the answer to a write that may take long. S3 sends the status before it knows the outcome, so an answer with
 * the status 200 may hold an error (API reference: CompleteMultipartUpload, "Response Syntax"; CopyObject, "Response
 * and special errors").
 * @throws GatewayError, StoreClaim the error in the document
 * @throws GatewayError BackendError for a document that cannot be used
 */
export function readAcknowledgement(document: Buffer, head: AnswerHead, root: string): XmlElement {
  if (document.includes('<Error>')) throw readError(head, document, {});
  return readDocument(document, root);
}

/** Returns the text of a child element. @throws GatewayError BackendError where there is none */
export function required(element: XmlElement, name: string): string {
  const text = xmlText(element, name);
  if (text === undefined) throw unusable(`has a ${element.name} without ${name}`);
  return text;
}

/** Returns the number in a child element, a whole one. @throws GatewayError BackendError where there is none */
export function readNumber(element: XmlElement, name: string): number {
  const number = Number(required(element, name));
  if (!Number.isSafeInteger(number) || number < 0) throw unusable(`has a ${name} that is not a number`);
  return number;
}

/** Returns the ISO 8601 date in a child element. @throws GatewayError BackendError where there is none */
export function readDate(element: XmlElement, name: string): Date {
  const date = parseIsoDate(required(element, name));
  if (date === undefined) throw unusable(`has a ${name} that is not a date`);
  return date;
}

/** Returns undefined for an empty text, because some stores send an empty element where others send none. */
export function present(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

/**
 * Decodes a name of a listing that was asked for with `encoding-type=url`. S3 and MinIO write a blank as `+` there, and
 * a plus as %2B.
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
