import type { GatewayError } from '../../errors.ts';
import type { ByteSource } from '../message.ts';

/**
 * Reads a whole body into memory.
 * @param tooLarge makes the error that is thrown where the body has more than `maxBytes`
 */
export async function collect(source: ByteSource, maxBytes: number, tooLarge: () => GatewayError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(Buffer.from(chunk)); // A copy is needed, because the source may reuse its buffer.
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
