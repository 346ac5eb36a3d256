import type { ErrorCode, GatewayError } from '../../../../errors.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { appendErrorFacts } from '../../../error-facts.ts';
import type { ErrorSpelling } from '../../../error-spelling.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { COS_ERRORS } from '../../error-table.ts';
import { TRACE_ID_HEADER } from '../../vocabulary.ts';
import { COS_CODE } from '../requests/encryption-headers.ts';
import { COPY_SOURCE, FORBID_OVERWRITE } from '../requests/header-rules.ts';
import { commonHeaders } from './common-headers.ts';

/**
 * Renders an error. Its document always has Code, Message, Resource and RequestId, and none of them empty: the SDK for
 * Python otherwise tells that the answer is invalid, and not what it says. A HEAD's answer has neither body nor code.
 */
export function renderCosError(error: GatewayError, context: RenderContext): WireResponse {
  const { status, code } = spelling(error, context);
  const headers = commonHeaders(context);
  const { facts } = error;
  if (facts.deleteMarker !== undefined) headers.append('x-cos-delete-marker', String(facts.deleteMarker));
  if (facts.versionId !== undefined) headers.append('x-cos-version-id', facts.versionId);
  appendErrorFacts(headers, facts);
  // The SDK for Python takes a 304 for a success, and fails where it has no Content-Length.
  if (status === 304) return { status, headers: headers.append('Content-Length', '0'), body: undefined };
  headers.append(TRACE_ID_HEADER, context.requestId);
  if (context.request?.method === 'HEAD') {
    return { status, headers: headers.append('Content-Length', '0'), body: undefined };
  }
  const document = Buffer.from(errorDocument(error, code, context), 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(document.length));
  return { status, headers, body: document };
}

/** The errors of customer keys, which COS has another code for where an object is read. */
const OF_KEYS: ReadonlySet<ErrorCode> = new Set(['CustomerKeyNeeded', 'CustomerKeyUnneeded', 'CustomerKeyWrong']);

function spelling({ code, details }: GatewayError, { request }: RenderContext): ErrorSpelling {
  const said = details[COS_CODE];
  if (said !== undefined) return { status: COS_ERRORS[code].status, code: said };
  const reads = request?.method === 'GET' || request?.method === 'HEAD';
  if (OF_KEYS.has(code) && !reads) {
    return code === 'CustomerKeyWrong'
      ? { status: 403, code: 'AccessDenied' }
      : { status: 400, code: 'InvalidArgument' };
  }
  if (code === 'PreconditionFailed' && mayOnlyBeOverwriting(request)) return { status: 409, code: 'FileAlreadyExists' };
  return COS_ERRORS[code];
}

/** Whether the only condition of a request is that it must overwrite nothing. */
function mayOnlyBeOverwriting(request: RenderContext['request']): boolean {
  if (request?.headers.get(FORBID_OVERWRITE)?.toLowerCase() !== 'true') return false;
  return !['match', 'none-match', 'modified-since', 'unmodified-since'].some((condition) =>
    request.headers.has(`${COPY_SOURCE}-if-${condition}`),
  );
}

/** Finds characters that XML 1.0 does not allow, not even as references. */
const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function errorDocument({ message }: GatewayError, code: string, { request, requestId }: RenderContext): string {
  const resource = request?.target.rawPath.replace(NOT_IN_XML, '') || '/';
  return (
    `${XML_DECLARATION}<Error>${xmlElement('Code', code)}${xmlElement('Message', message)}` +
    `${xmlElement('Resource', resource)}${xmlElement('RequestId', requestId)}` +
    `${xmlElement('TraceId', requestId)}</Error>`
  );
}
