import { clientError } from '../../../errors.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { QueryList } from '../../../wire/query.ts';
import { type Level, QINGSTOR_OPERATIONS, type QingstorOperation } from '../operation-table.ts';

/** The rows of one method and level, by the query parameter that selects them; '' is for rows that need none. */
type RouteIndex = ReadonlyMap<string, readonly QingstorOperation[]>;

const INDEX: ReadonlyMap<string, RouteIndex> = buildIndex();

function buildIndex(): Map<string, Map<string, QingstorOperation[]>> {
  const index = new Map<string, Map<string, QingstorOperation[]>>();
  for (const operation of QINGSTOR_OPERATIONS) {
    const place = `${operation.method} ${operation.level}`;
    const routes = index.get(place) ?? new Map<string, QingstorOperation[]>();
    index.set(place, routes);
    const subresource = operation.subresource ?? '';
    routes.set(subresource, [...(routes.get(subresource) ?? []), operation]);
  }
  return index;
}

/** Query parameters that any request may have, because they belong to its signature. */
const AUTHENTICATION: ReadonlySet<string> = new Set(['access_key_id', 'expires', 'signature']);

/**
 * Returns the operation that a request asks for, if the gateway does not refuse it. Every query parameter must be
 * known to the operation, because an unknown one may ask for something else.
 * @throws GatewayError NotImplemented; InvalidArgument for a parameter that is there twice
 */
export function routeRequest(request: WireRequest, level: Level): QingstorOperation {
  const operation = findOperation(request, level);
  if (operation === undefined) {
    throw clientError('NotImplemented', `This gateway does not handle ${request.method} on this ${level} here.`);
  }
  if (operation.treatment === 'refused') {
    throw clientError('NotImplemented', `${operation.name} is not available here: ${operation.reason}.`);
  }
  checkParameters(operation, request.query);
  return operation;
}

/** Returns the name of the operation that a request asks for, also of one that the gateway refuses. */
export function operationNamed(request: WireRequest, level: Level): string | undefined {
  return findOperation(request, level)?.name;
}

function findOperation({ method, query, headers }: WireRequest, level: Level): QingstorOperation | undefined {
  const routes = INDEX.get(`${method} ${level}`);
  if (routes === undefined) return undefined;
  const selecting = query.parameters.find(({ name }) => name !== '' && routes.has(name));
  return routes.get(selecting?.name ?? '')?.find((row) => meetsHeader(row, headers));
}

function meetsHeader({ needsHeader }: QingstorOperation, headers: HeaderList): boolean {
  return needsHeader === undefined || headers.has(needsHeader);
}

function checkParameters(operation: QingstorOperation, query: QueryList): void {
  const seen = new Set<string>();
  for (const { name } of query.parameters) {
    if (name === '') continue;
    if (seen.has(name)) {
      throw clientError('InvalidArgument', `The query parameter ${shown(name)} may be there once only.`);
    }
    seen.add(name);
    if (AUTHENTICATION.has(name) || name === operation.subresource || operation.parameters.includes(name)) continue;
    throw clientError('NotImplemented', `${operation.name} with the query parameter ${shown(name)} is not available.`);
  }
}

/** Shortens a text of the client's for a message. */
function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
