import type { GatewayError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { appendErrorFacts } from '../../../error-facts.ts';
import type { ErrorSpelling } from '../../../error-spelling.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { readAddress } from '../../address.ts';
import { S3_ERRORS } from '../../error-table.ts';

/** S3's element names for details with neutral names. All other details already have S3's names. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  region: 'Region',
  bucket: 'BucketName',
  key: 'Key',
  versionId: 'VersionId',
};

/**
 * Finds characters that XML 1.0 does not allow, not even as references. If a key brought one into an error's document,
 * boto3 could not read the document, and so would not find the error's code.
 */
const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

const XML_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/**
 * Renders an error. The answer to a HEAD and a 304 have no body, so their client learns the status and headers only.
 */
export function renderError(error: GatewayError, context: RenderContext, headers: HeaderList): WireResponse {
  const { status, code } = refusalOfBackend(error) ?? S3_ERRORS[error.code];
  const { facts } = error;
  if (facts.deleteMarker !== undefined) headers.append('x-amz-delete-marker', String(facts.deleteMarker));
  if (facts.versionId !== undefined) headers.append('x-amz-version-id', facts.versionId);
  appendErrorFacts(headers, facts);
  if (error.details.region !== undefined) headers.append('x-amz-bucket-region', error.details.region);
  if (status === 304) return { status, headers, body: undefined };
  if (context.request?.method === 'HEAD') {
    headers.append('Content-Length', '0');
    return { status, headers, body: undefined };
  }
  const body = Buffer.from(errorDocument(error, code, context), 'utf8');
  headers.append('Content-Type', 'application/xml');
  headers.append('Content-Length', String(body.length));
  return { status, headers, body };
}

/** A detail that is meant for the gateway alone: the status of the backend's answer. Clients are not told. */
const BACKEND_STATUS = 'backendStatus';

/**
 * Returns status and code of the backend's own refusal, where the backend speaks S3 too. SDKs and tools rely on such
 * codes (NoSuchBucketPolicy, NoSuchTagSet …).
 */
function refusalOfBackend({ code, said }: GatewayError): ErrorSpelling | undefined {
  if (code !== 'BackendRefused' || said?.dialect !== 's3') return undefined;
  return XML_NAME.test(said.code) && said.status >= 400 && said.status <= 499 ? said : undefined;
}

function errorDocument(error: GatewayError, code: string, { requestId, request, settings }: RenderContext): string {
  const fields = new Map<string, string>();
  if (request !== undefined) {
    for (const [name, value] of addressFields(request, settings)) fields.set(name, value);
  }
  for (const [name, value] of Object.entries(error.details)) {
    const field = FIELD_NAMES[name] ?? name;
    if (XML_NAME.test(field) && name !== BACKEND_STATUS) fields.set(field, value);
  }
  let xml = `${XML_DECLARATION}<Error>${xmlElement('Code', code)}${xmlElement('Message', error.message)}`;
  for (const [name, value] of fields) if (!NOT_IN_XML.test(value)) xml += xmlElement(name, value);
  if (request !== undefined) xml += xmlElement('Resource', request.target.rawPath);
  return `${xml}${xmlElement('RequestId', requestId)}${xmlElement('HostId', HOST_ID)}</Error>`;
}

/** The value of HostId and x-amz-id-2. In S3 it names the host that answered; here it says that the gateway did. */
export const HOST_ID = 'sealgate';

/**
 * Returns bucket and key of the address. There are none if the address cannot be read, which may be the error itself.
 */
function addressFields(
  request: NonNullable<RenderContext['request']>,
  settings: RenderContext['settings'],
): (readonly [string, string])[] {
  try {
    const address = readAddress(request, settings);
    if (address.level === 'service') return [];
    const bucket = ['BucketName', address.bucket] as const;
    return address.level === 'bucket' ? [bucket] : [['Key', address.key], bucket];
  } catch {
    return [];
  }
}
