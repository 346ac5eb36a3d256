import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { HeaderList } from '../../../wire/headers.ts';
import type { ByteSource, OutgoingBody } from '../../../wire/message.ts';

/*
 * Adds a checksum of the stored bytes to requests for which AWS requires one, which are writes with Object Lock
 * parameters. AWS refuses others: "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with
 * Object Lock parameters". A body in memory gets a Content-MD5. A stream is framed as aws-chunked, with its CRC32 in
 * the trailer.
 */

/** The size of a chunk of aws-chunked. MinIO takes up to 16 MiB. Each chunk adds some 10 bytes of framing. */
const CHUNK_BYTES = 1024 * 1024;
const TRAILER_NAME = 'x-amz-checksum-crc32';
/** The size of what follows the last chunk: an empty chunk, and the trailer with four bytes in base64. */
const END_BYTES = '0\r\n'.length + `${TRAILER_NAME}:AAAAAA==\r\n\r\n`.length;
const LINE_END = Buffer.from('\r\n');

/** The value of x-amz-content-sha256 for such a stream. */
export const STREAMING_UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** Whether a write sets a retention or a legal hold. */
export function setsLock(headers: HeaderList): boolean {
  return headers.has('x-amz-object-lock-mode') || headers.has('x-amz-object-lock-legal-hold');
}

/** Adds the headers for the checksum to `headers`, and returns the body as it must be sent. */
export function withChecksum(body: OutgoingBody, headers: HeaderList): OutgoingBody {
  if (Buffer.isBuffer(body)) {
    headers.append('content-md5', hash('md5', body, 'base64'));
    return body;
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined) headers.delete('content-encoding');
  headers
    .append('content-encoding', encoding === undefined ? 'aws-chunked' : `aws-chunked,${encoding}`)
    .append('x-amz-decoded-content-length', String(body.bytes))
    .append('x-amz-trailer', TRAILER_NAME);
  return { bytes: framedBytes(body.bytes), source: framed(body.source, body.bytes) };
}

function framedBytes(bytes: number): number {
  const whole = Math.floor(bytes / CHUNK_BYTES);
  const rest = bytes % CHUNK_BYTES;
  return whole * framedChunkBytes(CHUNK_BYTES) + (rest === 0 ? 0 : framedChunkBytes(rest)) + END_BYTES;
}

function framedChunkBytes(bytes: number): number {
  return chunkHead(bytes).length + bytes + LINE_END.length;
}

function chunkHead(bytes: number): Buffer {
  return Buffer.from(`${bytes.toString(16)}\r\n`);
}

/**
 * Frames a body as aws-chunked. No byte is copied: chunk heads and line ends are sent between the source's own pieces.
 */
async function* framed(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  let crc = 0;
  let leftBytes = bytes;
  let leftInChunk = 0;
  for await (const piece of source) {
    crc = crc32(piece, crc);
    for (let at = 0; at < piece.length; ) {
      if (leftInChunk === 0) {
        leftInChunk = Math.min(CHUNK_BYTES, leftBytes);
        // The source has more bytes than were declared. They are passed on unframed; the connection refuses a body that
        // is longer than declared.
        if (leftInChunk === 0) leftInChunk = piece.length - at;
        else yield chunkHead(leftInChunk);
      }
      const some = piece.subarray(at, at + leftInChunk);
      yield some;
      at += some.length;
      leftInChunk -= some.length;
      leftBytes -= some.length;
      if (leftInChunk === 0) yield LINE_END;
    }
  }
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc);
  yield Buffer.from(`0\r\n${TRAILER_NAME}:${value.toString('base64')}\r\n\r\n`);
}
