import { clientError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireRequest } from '../../../../wire/message.ts';
import type { QueryList } from '../../../../wire/query.ts';
import type { Level } from '../../address.ts';
import { COS_OPERATIONS, type CosOperation } from '../../operation-table.ts';
import { LEGACY_PARAMETER, SIGNATURE_PARAMETERS } from '../../signature/signature-fields.ts';

/** The rows of one method and level, by the query parameter that selects them; '' is for rows that need none. */
type RouteIndex = ReadonlyMap<string, readonly CosOperation[]>;

const INDEX: ReadonlyMap<string, RouteIndex> = buildIndex();

function buildIndex(): Map<string, Map<string, CosOperation[]>> {
  const index = new Map<string, Map<string, CosOperation[]>>();
  for (const operation of COS_OPERATIONS) {
    const place = `${operation.method} ${operation.level}`;
    const routes = index.get(place) ?? new Map<string, CosOperation[]>();
    index.set(place, routes);
    const subresource = operation.subresource ?? '';
    routes.set(subresource, [...(routes.get(subresource) ?? []), operation]);
  }
  return index;
}

/** Query parameters that change nothing of what the gateway does: signatures, and how fast. */
const IGNORED: ReadonlySet<string> = new Set([
  ...SIGNATURE_PARAMETERS,
  LEGACY_PARAMETER,
  'x-cos-security-token',
  'x-cos-traffic-limit',
]);

/**
 * Returns the operation that a request asks for, if the gateway does not refuse it. Every query parameter must be
 * known to the operation, or change nothing.
 * @throws GatewayError NotImplemented, MethodNotAllowed, InvalidArgument (a parameter that is there twice)
 */
export function routeRequest(request: WireRequest, level: Level): CosOperation {
  const operation = findOperation(request, level);
  if (operation === undefined) {
    if (INDEX.has(`${request.method} bucket`)) {
      throw clientError('NotImplemented', `${request.method} on this ${level} is not available here.`);
    }
    throw clientError('MethodNotAllowed', 'The method is not allowed for this resource.');
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

function findOperation({ method, query, headers }: WireRequest, level: Level): CosOperation | undefined {
  const routes = INDEX.get(`${method} ${level}`);
  if (routes === undefined) return undefined;
  const selecting = query.parameters.find(({ name }) => name !== '' && routes.has(name));
  return routes.get(selecting?.name ?? '')?.find((row) => meetsHeader(row, headers));
}

function meetsHeader({ needsHeader }: CosOperation, headers: HeaderList): boolean {
  return needsHeader === undefined || headers.has(needsHeader);
}

function checkParameters(operation: CosOperation, query: QueryList): void {
  const seen = new Set<string>();
  for (const { name, value } of query.parameters) {
    if (seen.has(name)) {
      throw clientError('InvalidArgument', `The query parameter ${shown(name)} may be there once only.`);
    }
    seen.add(name);
    if (IGNORED.has(name) || name === operation.subresource || operation.parameters.includes(name)) continue;
    throw clientError(
      'NotImplemented',
      `${operation.name} with the query parameter ${shown(name)}${value === '' ? '' : '=…'} is not available.`,
    );
  }
}

/** Shortens a text of the client's for a message. */
function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
