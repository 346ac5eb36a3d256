import { GatewayError } from '../../errors.ts';
import type { ByteSource } from '../message.ts';

/**
 * Passes on bytes of a store that nothing authenticates, and fails if they are not as many as were announced.
 * @throws GatewayError BackendUnavailable, at the latest where the body would end
 */
export async function* exactBody(source: ByteSource, announcedBytes: number): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > announcedBytes) throw anotherLength();
    yield chunk;
  }
  if (bytes !== announcedBytes) throw anotherLength();
}

function anotherLength(): GatewayError {
  return new GatewayError('BackendUnavailable', 'The backend sent another length than it announced. Try again.', {
    source: 'backend',
  });
}
