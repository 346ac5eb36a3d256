import type { GatewayError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { appendErrorFacts } from '../../../error-facts.ts';
import type { ErrorSpelling } from '../../../error-spelling.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { OSS_ERROR_NUMBERS, OSS_ERRORS } from '../../error-table.ts';
import { shownEtag } from '../../vocabulary.ts';
import { COPY_SOURCE, FORBID_OVERWRITE } from '../requests/header-rules.ts';
import { commonHeaders, hostOf } from './common-headers.ts';

/** Element names for details with neutral names. All other details already have the vendor's names. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  bucket: 'BucketName',
  key: 'Key',
  region: 'Region',
  versionId: 'VersionId',
};

/** A detail that is meant for the gateway alone: the status of the store's answer. Clients are not told. */
const BACKEND_STATUS = 'backendStatus';

/** Finds characters that XML 1.0 does not allow, not even as references. */
const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
const XML_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/**
 * Renders an error. The answer to a HEAD has no body, so the document stands in the header `x-oss-err`, where SDKs
 * look for its code.
 */
export function renderOssError(error: GatewayError, context: RenderContext): WireResponse {
  const { status, code } = spelling(error, context);
  const headers = commonHeaders(context);
  const { facts } = error;
  if (facts.deleteMarker !== undefined) headers.append('x-oss-delete-marker', String(facts.deleteMarker));
  if (facts.versionId !== undefined) headers.append('x-oss-version-id', facts.versionId);
  appendErrorFacts(headers, facts.etag === undefined ? facts : { ...facts, etag: shownEtag(facts.etag) });
  if (status === 304) return { status, headers, body: undefined };
  const number = error.details.EC ?? OSS_ERROR_NUMBERS[error.code];
  if (number !== undefined) headers.append('x-oss-ec', number);
  const document = Buffer.from(errorDocument(error, { code, number }, context), 'utf8');
  if (context.request?.method === 'HEAD') {
    headers.append('x-oss-err', document.toString('base64')).append('Content-Length', '0');
    return { status, headers, body: undefined };
  }
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(document.length));
  return { status, headers, body: document };
}

function spelling(error: GatewayError, { request }: RenderContext): ErrorSpelling {
  if (error.code === 'PreconditionFailed' && request !== undefined && mayOnlyBeOverwriting(request.headers)) {
    return { status: 409, code: 'FileAlreadyExists' };
  }
  return OSS_ERRORS[error.code];
}

/** Whether the only condition of a request is that it must overwrite nothing. */
function mayOnlyBeOverwriting(headers: HeaderList): boolean {
  if (headers.get(FORBID_OVERWRITE)?.toLowerCase() !== 'true') return false;
  return !['match', 'none-match', 'modified-since', 'unmodified-since'].some((condition) =>
    headers.has(`${COPY_SOURCE}-if-${condition}`),
  );
}

function errorDocument(
  { message, details }: GatewayError,
  { code, number }: { readonly code: string; readonly number: string | undefined },
  context: RenderContext,
): string {
  let xml = `${XML_DECLARATION}<Error>${xmlElement('Code', code)}${xmlElement('Message', message)}`;
  xml += xmlElement('RequestId', context.requestId) + xmlElement('HostId', hostOf(context));
  for (const [name, value] of Object.entries(details)) {
    const field = FIELD_NAMES[name] ?? name;
    if (field === 'EC' || name === BACKEND_STATUS || !XML_NAME.test(field) || NOT_IN_XML.test(value)) continue;
    xml += xmlElement(field, value);
  }
  return `${xml}${xmlElement('EC', number)}</Error>`;
}
