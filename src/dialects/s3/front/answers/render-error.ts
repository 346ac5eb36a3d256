import type { GatewayError } from '../../../../errors.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { appendErrorFacts } from '../../../error-facts.ts';
import type { ErrorSpelling } from '../../../error-spelling.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { readAddress } from '../../address.ts';
import { S3_ERRORS } from '../../error-table.ts';

/** Neutral detail names in S3's spelling; others are S3's own already. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  region: 'Region',
  bucket: 'BucketName',
  key: 'Key',
  versionId: 'VersionId',
};

/** No XML 1.0 reader takes these, not even as references: one in a key, and boto3 would miss the error's code. */
const NOT_IN_XML = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;

const XML_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/** HEAD and 304 have no body, so that their status is all a client gets. */
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

/** For whoever asks whether the backend answered, and for no client. */
const BACKEND_STATUS = 'backendStatus';

/** NoSuchBucketPolicy, NoSuchTagSet …: where the backend speaks S3 too, SDKs and tools ask for its very code and status. */
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

/** S3's id of the host that answered, for its support; here it says whose answer this is. */
export const HOST_ID = 'sealgate';

/** Bucket and key, if the address is one: the error may be that it is not. */
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
