import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { HeaderList } from '../../../wire/headers.ts';
import type { ByteSource, OutgoingBody } from '../../../wire/message.ts';

/**
 * Adds a checksum of the stored bytes to the requests on which AWS demands one: writes with Object Lock parameters
 * ("Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"). A body in
 * memory gets a Content-MD5. A stream is framed as aws-chunked, and its trailer has the CRC32.
 */

/** MinIO takes up to 16 MiB in one chunk. Each chunk costs some 10 bytes of framing. */
const CHUNK_BYTES = 1024 * 1024;
const TRAILER_NAME = 'x-amz-checksum-crc32';
/** The size of the end of the framing: `0`, the trailer's name and four bytes in base64. */
const END_BYTES = '0\r\n'.length + `${TRAILER_NAME}:AAAAAA==\r\n\r\n`.length;
const LINE_END = Buffer.from('\r\n');

export const STREAMING_UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** Whether a write sets a retention or a legal hold. */
export function setsLock(headers: HeaderList): boolean {
  return headers.has('x-amz-object-lock-mode') || headers.has('x-amz-object-lock-legal-hold');
}

/** Adds the headers, and returns the body as it goes out. */
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

/** Frames a source without copying a byte: heads and line ends go between the source's own pieces. */
async function* framed(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  let crc = 0;
  let leftBytes = bytes;
  let leftInChunk = 0;
  for await (const piece of source) {
    crc = crc32(piece, crc);
    for (let at = 0; at < piece.length; ) {
      if (leftInChunk === 0) {
        leftInChunk = Math.min(CHUNK_BYTES, leftBytes);
        // More came than was declared. It goes out unframed, and the connection refuses it.
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
