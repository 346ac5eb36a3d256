import { isUtf8 } from 'node:buffer';

/*
 * Judges texts by what a store that keeps keys as paths of files would make of them. A store may run on any system, so
 * slashes and backslashes both separate names, and blanks around dots are ignored.
 */

const DOTS = /(?:^|[/\\])\s*\.{1,2}\s*(?:[/\\]|$)/;
const DOTS_BEFORE_SLASH = /(?:^|[/\\])\s*\.{1,2}\s*[/\\]/;

/** Whether one of the names between slashes is `.` or `..`, which lead to other places. */
export function isClimbing(text: string): boolean {
  return DOTS.test(text);
}

/** The same for a prefix. Its last name is incomplete, so `..` at its end may be the beginning of `..name`. */
export function isClimbingPrefix(text: string): boolean {
  return DOTS_BEFORE_SLASH.test(text);
}

/** Whether a key has two slashes in a row, which a path treats as one. */
export function isFolded(key: string): boolean {
  return key.includes('//');
}

/** The folder of a bucket in which Versity S3 Gateway keeps the parts of uploads. */
const OWN_FOLDER = /^[/\\]?\.sgwtmp(?:[/\\]|$)/i;

/** Whether a key lies in a folder that a store keeps for itself. */
export function isOwnFolder(key: string): boolean {
  return OWN_FOLDER.test(key);
}

/** Finds a path in the text of an upload id, which MinIO decodes from base64. */
const SLASH_OR_CONTROL = /[/\\\p{Cc}]|\.\./u;
/**
 * Finds a path that leads upwards in bytes that are not text. MinIO drops what stands before the first dot. Of ids that
 * are random bytes, one in a million is refused by this.
 */
const CLIMBING_BYTES = /(?:^|[./\\])\.\.(?:[/\\]|$)/;

/** Whether an upload id has no path in it, also after it is decoded from base64 once or twice. */
export function isPathlessId(id: string): boolean {
  return decodings(id).every(({ text, isText }) => !(isText ? SLASH_OR_CONTROL : CLIMBING_BYTES).test(text));
}

/**
 * Matches what MinIO appends to a marker: in which of its own files a listing is continued, as in
 * `key[minio_cache:v2,id:…,p:0,s:0]` (metacache-marker.go). MinIO makes a path of the id, which must therefore be a
 * UUID.
 */
const LISTING_MARK = /\[minio_cache:v2,(?:return:|id:[0-9a-f-]{36},p:\d{1,4},s:\d{1,4})\]$/;

/** Whether a marker leads to nothing but a key, whichever store reads it. */
export function isHarmlessMarker(marker: string): boolean {
  return !isClimbing(marker) && (!marker.includes('[minio_cache') || LISTING_MARK.test(marker));
}

/** The same for a continuation token, which may be a marker in base64. */
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
  /** UTF-8 where `isText` says so, and else the bytes as latin1 characters. */
  readonly text: string;
  readonly isText: boolean;
}

/** Returns what a text becomes when it is decoded from base64 (of either alphabet) once, and once more. */
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
