import { ENVELOPE_ENTRY } from './envelope.ts';

/** The content headers that meta_tag covers. Structural: the model's ContentHeaders fits. */
export interface ContentFields {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  readonly expires?: string | undefined;
}

export interface ClientMetadata {
  readonly content: ContentFields;
  /** Names in lower case without the vendor's prefix; values as latin1 wire bytes. The envelope's own entry is skipped. */
  readonly user: readonly (readonly [name: string, value: string])[];
}

/** In the order of the canonical form. */
export const CONTENT_FIELDS = [
  'contentType',
  'cacheControl',
  'contentDisposition',
  'contentEncoding',
  'contentLanguage',
  'expires',
] as const satisfies readonly (keyof ContentFields)[];

/** A length that no header value reaches, so that an absent field and an empty one differ. */
const ABSENT = 0xffff_ffff;

/**
 * The bytes that meta_tag authenticates (FORMAT.md §3.2): every field behind its length, so that no two sets of
 * metadata have the same encoding, and user metadata sorted by name, because stores give it back in any order.
 * @throws RangeError for a character past U+00FF, which no header carries
 */
export function canonicalMetadata({ content, user }: ClientMetadata): Buffer {
  const fields: (string | undefined)[] = CONTENT_FIELDS.map((field) => content[field]);
  const entries = user.filter(([name]) => name !== ENVELOPE_ENTRY);
  // latin1 text: comparing code units is comparing bytes. Equal names keep their order, which is part of the meaning.
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
    // Cutting a character to its low byte would let two texts share an encoding.
    if (/[^\x00-\xff]/.test(field)) throw new RangeError('Metadata must be latin1 text.');
    at += bytes.write(field, at, 'latin1');
  }
  return bytes;
}
