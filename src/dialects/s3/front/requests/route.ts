import { clientError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireRequest } from '../../../../wire/message.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { effectiveHeaders, isAmzParameter } from '../../amz-fields.ts';
import type { Level, S3Operation } from '../../operation-row.ts';
import { S3_OPERATIONS } from '../../operation-table.ts';
import { presignedHeaderNames } from '../../signature/presigned-headers.ts';
import { isMeaningless } from './query-names.ts';

/** The rows of one method and level, by the query parameter that selects them; '' is for rows that need none. */
type RouteIndex = ReadonlyMap<string, readonly S3Operation[]>;

const INDEX: ReadonlyMap<string, RouteIndex> = buildIndex();

function buildIndex(): Map<string, Map<string, S3Operation[]>> {
  const index = new Map<string, Map<string, S3Operation[]>>();
  for (const operation of S3_OPERATIONS) {
    const place = `${operation.method} ${operation.level}`;
    const routes = index.get(place) ?? new Map<string, S3Operation[]>();
    index.set(place, routes);
    const subresource = operation.subresource ?? '';
    routes.set(subresource, [...(routes.get(subresource) ?? []), operation]);
  }
  return index;
}

/**
 * Returns the operation that a request asks for, if the gateway does not refuse it. Every query parameter must be known
 * to the operation, or may be ignored.
 * @param headers the request's headers, and those that a presigned URL has in its query
 * @throws GatewayError NotImplemented, MethodNotAllowed, InvalidArgument (a parameter that is there twice)
 */
export function routeRequest(request: WireRequest, headers: HeaderList, level: Level): S3Operation {
  const operation = findOperation(request, headers, level);
  if (operation === undefined) throw noSuchOperation(request, level);
  if (operation.treatment === 'refused') {
    throw clientError('NotImplemented', `${operation.name} is not available here: ${operation.reason}.`);
  }
  if (operation.needsHeader === undefined && headers.has('x-amz-copy-source')) {
    // A backend might look at this header before it looks at the query. A forwarded request would then copy an object.
    throw clientError('NotImplemented', `x-amz-copy-source has no meaning in ${operation.name}.`);
  }
  checkParameters(operation, request.query);
  return operation;
}

/** Returns the name of the operation that a request asks for, also of one that the gateway refuses. */
export function operationNamed(request: WireRequest, level: Level): string | undefined {
  return findOperation(request, effectiveHeaders(request), level)?.name;
}

function findOperation(request: WireRequest, headers: HeaderList, level: Level): S3Operation | undefined {
  const routes = INDEX.get(`${request.method} ${level}`);
  if (routes === undefined) return undefined;
  let rows = routes.get('');
  for (const { name } of request.query.parameters) {
    const selected = name === '' ? undefined : routes.get(name);
    if (selected !== undefined) {
      rows = selected;
      break;
    }
  }
  return rows?.find(
    ({ needsHeader, needsParameter }) =>
      (needsHeader === undefined || headers.has(needsHeader)) &&
      (needsParameter === undefined || request.query.has(needsParameter)),
  );
}

/** The query parameters of a URL that is presigned by Signature Version 2, which is still the default of boto3. */
const SIGV2_PARAMETERS = ['AWSAccessKeyId', 'Signature', 'Expires'];

function checkParameters(operation: S3Operation, query: QueryList): void {
  const { parameters } = query;
  const bySigV2 = query.has('AWSAccessKeyId');
  const presigned = presignedHeaderNames(query);
  for (let at = 0; at < parameters.length; at++) {
    const { name, value } = parameters[at] as (typeof parameters)[number];
    if (name === 'x-id') {
      if (value === operation.name) continue;
      throw clientError('NotImplemented', `x-id names another operation, but the request reads as ${operation.name}.`);
    }
    if (isAmzParameter(name)) continue;
    // The reader of the signature refuses those that are there twice.
    if (bySigV2 && SIGV2_PARAMETERS.includes(name)) continue;
    if (name !== operation.subresource && !operation.parameters.includes(name)) {
      if (presigned.has(name.toLowerCase()) || isMeaningless(name, value, operation)) continue;
      throw clientError(
        'NotImplemented',
        `${operation.name} with the query parameter ${shown(name)} is not available.`,
      );
    }
    for (let earlier = 0; earlier < at; earlier++) {
      if (parameters[earlier]?.name === name) {
        throw clientError('InvalidArgument', `The query parameter ${shown(name)} may be there once only.`);
      }
    }
  }
}

function noSuchOperation(request: WireRequest, level: Level): Error {
  const known = [...INDEX.keys()].some((place) => place.startsWith(`${request.method} `));
  if (known && level !== 'service') {
    return clientError('NotImplemented', `${request.method} on this ${level} is not available here.`);
  }
  return clientError('MethodNotAllowed', 'The method is not allowed for this resource.');
}

/** Shortens a text of the client's for a message. */
function shown(name: string): string {
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
}
