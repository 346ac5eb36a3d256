import { createHash, createHmac } from 'node:crypto';
import { NOW, SECRET, SETTINGS } from './signing.ts';

/** An aws-chunked encoder written from S3's documentation, apart from the reader that it tests. */

const EMPTY = createHash('sha256').digest('hex');

export interface Chunking {
  readonly body: Buffer;
  readonly chunkBytes: number;
  /** The request's signature, for signed chunks. */
  readonly seed?: string;
  /** Who signed the request, and when; default as in signing.ts. */
  readonly as?: { readonly secretAccessKey: string; readonly date: Date };
  /** `name:value`. */
  readonly trailer?: string;
  /** Whether the form has a trailer at all, even an empty one. */
  readonly trailers: boolean;
  /** minio-go ends trailer lines by a bare line feed and puts an empty line after them. */
  readonly minioStyle?: boolean;
  /** Changes what is sent, piece by piece. */
  readonly forge?: (piece: string, name: 'header' | 'end' | 'trailer' | 'signature') => string;
}

export function chunked(options: Chunking): Buffer {
  const { body, chunkBytes, seed, trailer, forge = (piece) => piece } = options;
  const { secretAccessKey, date } = options.as ?? { secretAccessKey: SECRET.reveal(), date: NOW };
  const time = date.toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${SETTINGS.region}/s3/aws4_request`;
  const signingKey = scope
    .split('/')
    .reduce<Buffer>(
      (key, text) => createHmac('sha256', key).update(text).digest(),
      Buffer.from(`AWS4${secretAccessKey}`),
    );
  let previous = seed ?? '';
  const hmac = (text: string) => {
    previous = createHmac('sha256', signingKey).update(text).digest('hex');
    return previous;
  };
  const header = (data: Buffer) => {
    const size = data.length.toString(16);
    if (seed === undefined) return forge(`${size}\r\n`, 'header');
    const hash = createHash('sha256').update(data).digest('hex');
    const signature = hmac(`AWS4-HMAC-SHA256-PAYLOAD\n${time}\n${scope}\n${previous}\n${EMPTY}\n${hash}`);
    return forge(`${size};chunk-signature=${signature}\r\n`, 'header');
  };
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const data = body.subarray(at, at + chunkBytes);
    pieces.push(Buffer.from(header(data)), data, Buffer.from(forge('\r\n', 'end')));
  }
  let end = header(Buffer.alloc(0));
  if (options.trailers) {
    const lineEnd = options.minioStyle ? '\n' : '\r\n';
    if (trailer !== undefined) end += forge(`${trailer}${lineEnd}`, 'trailer');
    if (options.minioStyle) end += '\r\n';
    if (seed !== undefined) {
      const hash = createHash('sha256')
        .update(trailer === undefined ? '' : `${trailer}\n`)
        .digest('hex');
      const signature = hmac(`AWS4-HMAC-SHA256-TRAILER\n${time}\n${scope}\n${previous}\n${hash}`);
      end += forge(`x-amz-trailer-signature:${signature}\r\n`, 'signature');
    }
  }
  return Buffer.concat([...pieces, Buffer.from(end), Buffer.from('\r\n')]);
}

/** The body in pieces of so many bytes, each in one reused buffer: whoever keeps a piece past the next pull loses it. */
export async function* inPieces(body: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, void> {
  const window = Buffer.alloc(Math.max(1, Math.min(pieceBytes, body.length)));
  for (let at = 0; at < body.length; at += pieceBytes) {
    const bytes = body.copy(window, 0, at, at + pieceBytes);
    yield window.subarray(0, bytes);
    window.fill(0xee);
  }
}
