import { isUtf8 } from 'node:buffer';

/**
 * Tells what a store that keeps keys as paths of files would make of a text. Slashes and backslashes both separate names,
 * because a store may run on either kind of system. Some systems ignore blanks around a dot.
 */

const DOTS = /(?:^|[/\\])\s*\.{1,2}\s*(?:[/\\]|$)/;
const DOTS_BEFORE_SLASH = /(?:^|[/\\])\s*\.{1,2}\s*[/\\]/;

/** Whether `.` or `..` stands alone between slashes. */
export function isClimbing(text: string): boolean {
  return DOTS.test(text);
}

/** The same for the beginning of a key, whose last name may go on: `..` is how `..name` begins. */
export function isClimbingPrefix(text: string): boolean {
  return DOTS_BEFORE_SLASH.test(text);
}

/** Whether two slashes follow each other, which a path folds into one. A slash at the beginning belongs to the key. */
export function isFolded(key: string): boolean {
  return key.includes('//');
}

/** Versity S3 Gateway keeps the parts of a bucket's uploads in this folder of the bucket. */
const OWN_FOLDER = /^[/\\]?\.sgwtmp(?:[/\\]|$)/i;

export function isOwnFolder(key: string): boolean {
  return OWN_FOLDER.test(key);
}

/** MinIO decodes upload ids from base64. This finds a path in what is text then. */
const SLASH_OR_CONTROL = /[/\\\p{Cc}]|\.\./u;
/** The same for bytes that are no text. Random bytes match once in a million ids. MinIO drops what is before the first dot. */
const CLIMBING_BYTES = /(?:^|[./\\])\.\.(?:[/\\]|$)/;

/** Whether an upload id holds no path, however often it is decoded. */
export function isPathlessId(id: string): boolean {
  return decodings(id).every(({ text, isText }) => !(isText ? SLASH_OR_CONTROL : CLIMBING_BYTES).test(text));
}

/**
 * MinIO notes in a marker from which of its own files a listing goes on, by a UUID that it makes a path of:
 * `key[minio_cache:v2,id:…,p:0,s:0]` (its metacache-marker.go).
 */
const LISTING_MARK = /\[minio_cache:v2,(?:return:|id:[0-9a-f-]{36},p:\d{1,4},s:\d{1,4})\]$/;

/** Whether a marker names nothing but a key, whichever store reads it. */
export function isHarmlessMarker(marker: string): boolean {
  return !isClimbing(marker) && (!marker.includes('[minio_cache') || LISTING_MARK.test(marker));
}

/** The same for a token, which may be a marker in base64. */
export function isHarmlessToken(token: string): boolean {
  return (
    isHarmlessMarker(token) &&
    decodings(token).every(({ text, isText }) =>
      isText || text.includes('[minio_cache') ? isHarmlessMarker(text) : !CLIMBING_BYTES.test(text),
    )
  );
}

const BASE64 = /^[A-Za-z0-9+/_-]{2,}={0,2}$/;
const MAX_DECODINGS = 2;

interface Decoding {
  /** In latin1, if the bytes are no UTF-8. */
  readonly text: string;
  readonly isText: boolean;
}

/** What a word becomes when it is decoded from base64, of either alphabet, once and again. */
function decodings(word: string): Decoding[] {
  const found: Decoding[] = [];
  let text = word;
  while (found.length < MAX_DECODINGS && BASE64.test(text)) {
    const bytes = Buffer.from(text, 'base64');
    const isText = isUtf8(bytes);
    text = bytes.toString(isText ? 'utf8' : 'latin1');
    found.push({ text, isText });
  }
  return found;
}
