import { HeaderList } from '../../../../wire/headers.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { REQUEST_ID_HEADER } from '../../vocabulary.ts';

/**
 * Returns the headers that every answer has, but for Date, which node:http adds. Without the request's id the SDK for
 * Node.js takes the answer for that of a broken network, and goes to another host.
 */
export function commonHeaders({ requestId }: RenderContext): HeaderList {
  return new HeaderList(['Server', 'Sealgate', REQUEST_ID_HEADER, requestId]);
}
