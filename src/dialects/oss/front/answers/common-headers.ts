import { HeaderList } from '../../../../wire/headers.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { REQUEST_ID_HEADER } from '../../vocabulary.ts';

/** Returns the headers that every answer has, but for Date, which node:http adds. */
export function commonHeaders({ requestId }: RenderContext): HeaderList {
  return new HeaderList(['Server', 'Sealgate', REQUEST_ID_HEADER, requestId]);
}

/** The host that the client asked, without its port. */
export function hostOf({ request }: RenderContext): string {
  return request?.headers.get('host')?.replace(/:\d+$/, '') ?? '';
}
