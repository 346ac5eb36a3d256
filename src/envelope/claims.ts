import { ENVELOPE_ENTRY } from './envelope.ts';

/** The content headers that meta_tag covers. ContentHeaders of operations/ has this shape. */
export interface ContentFields {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
}

/** Content headers and user metadata. */
export interface ClientMetadata {
  readonly content: ContentFields;
  /**
   * The names are in lower case and without the vendor's prefix. The values hold the bytes of the headers as latin1
   * characters. The envelope's entry may be among them.
   */
  readonly user: readonly (readonly [name: string, value: string])[];
}

/** The content headers in the order of the canonical form (FORMAT.md §3.2). */
export const CONTENT_FIELDS = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'expires',
] as const satisfies readonly (keyof ContentFields)[];

/** Stands for the length of an absent field, which so differs from an empty one. No header is as long as this. */
const ABSENT = 0xffff_ffff;

/**
 * Encodes metadata to the bytes that meta_tag authenticates (FORMAT.md §3.2). Every field comes after its length, so
 * that no two sets of metadata have the same encoding. User metadata are sorted by name, because stores give them back
 * in any order. The envelope's entry is left out.
 * @throws RangeError for a character past U+00FF, which no header can carry
 */
export function canonicalMetadata({ content, user }: ClientMetadata): Buffer {
  const fields: (string | undefined)[] = CONTENT_FIELDS.map((field) => content[field]);
  const entries = user.filter(([name]) => name !== ENVELOPE_ENTRY);
  // The text is latin1, so this compares bytes. Entries of equal name keep their order, which is part of the encoding.
  if (entries.length > 1) entries.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  for (const [name, value] of entries) fields.push(name, value);
  return encode(fields);
}

function encode(fields: readonly (string | undefined)[]): Buffer {
  let length = 0;
  for (const field of fields) length += 4 + (field?.length ?? 0);
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const field of fields) {
    at = bytes.writeUInt32BE(field?.length ?? ABSENT, at);
    if (field === undefined) continue;
    // Such a character would be cut to its low byte, and two different texts would have the same encoding.
    if (/[^\x00-\xff]/.test(field)) throw new RangeError('Metadata must be latin1 text.');
    at += bytes.write(field, at, 'latin1');
  }
  return bytes;
}
