import type { GatewayError } from '../../errors.ts';
import type { ByteSource } from '../message.ts';

/** Reads a whole small body. `tooLarge` makes the error to throw once more than `maxBytes` came. */
export async function collect(source: ByteSource, maxBytes: number, tooLarge: () => GatewayError): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    chunks.push(Buffer.from(chunk)); // the source may reuse its buffer
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}
