import { createHmac } from 'node:crypto';
import { clientError, type GatewayError } from '../../../errors.ts';
import type { FormReply, PostObject } from '../../../operations/operation.ts';
import { formBoundary } from '../../../wire/bodies/form-reader.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import { parseBasicIsoDate } from '../../../wire/dates.ts';
import { headerValue } from '../../../wire/header-value.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import { openForm } from '../../form/open-form.ts';
import type { FormReaders, FrontSettings, ParsedRequest, PolicyClaim } from '../../front-dialect.ts';
import { CONTENT_HEADERS } from '../../object-metadata.ts';
import { plainSource } from '../../plain-body.ts';
import { checkKey } from '../address.ts';
import { noTemporaryCredentials } from '../signature/claim.ts';
import { latin1, MAX_SKEW_MILLISECONDS, noMatch } from '../signature/signed-fields.ts';
import { V4_SCHEME, v4Credential, v4Signature } from '../signature/v4.ts';
import { readPutObject } from './requests/objects.ts';

/* Uploads by form (vendor documentation, "PostObject"). Fields have names in lower case here. */

/** Fields that make up the signature, and say nothing of the object. */
const SIGNATURE_FIELDS: ReadonlySet<string> = new Set([
  'x-oss-signature',
  'x-oss-signature-version',
  'x-oss-credential',
  'x-oss-date',
]);

const V1_FIELDS = ['ossaccesskeyid', 'signature'];
const HEADER_FIELDS: ReadonlySet<string> = new Set(CONTENT_HEADERS.map(([name]) => name));

/** Whether a form is signed as OSS's are. */
export function isOssForm(fields: ReadonlyMap<string, string>): boolean {
  return fields.has('ossaccesskeyid') || fields.has('x-oss-signature') || fields.has('x-oss-credential');
}

/** How OSS reads forms. */
export const ossForms: FormReaders = {
  // OSS holds a form to the conditions that its policy has, and no field needs one.
  freeFields: 'all',
  claim: readPolicyClaim,
  operation: readPostObject,
  body: (file, fields, mostBytes) => plainSource(file, { mostBytes, contentMd5: fields.get('content-md5') }),
};

/**
 * Reads the head of a form upload to one of OSS's own hosts.
 * @throws GatewayError InvalidArgument where it is no form, or its head says what only its fields may
 */
export function parseOssForm(bucket: string, request: WireRequest, settings: FrontSettings): ParsedRequest {
  const boundary = formBoundary(request.headers.get('content-type'));
  if (boundary === undefined)
    throw clientError('InvalidArgument', 'PostObject takes a form of the type multipart/form-data.');
  request.headers.forEach((name) => {
    if (!name.startsWith('x-oss-') && name !== 'authorization' && name !== 'content-md5') return;
    throw clientError(
      'InvalidArgument',
      `PostObject takes ${name.slice(0, 64)} as a field of the form, not as a header.`,
    );
  });
  return {
    kind: 'form',
    name: 'PostObject',
    bucket,
    open: (readersOf) => openForm(request, { bucket, boundary, settings, own: ossForms }, readersOf),
  };
}

function readPolicyClaim(fields: ReadonlyMap<string, string>): PolicyClaim | undefined {
  if (fields.has('x-oss-security-token') || fields.has('security-token')) throw noTemporaryCredentials();
  const v1 = V1_FIELDS.some((name) => fields.has(name));
  const v4 = [...SIGNATURE_FIELDS].some((name) => fields.has(name));
  if (!v1 && !v4 && !fields.has('policy')) return undefined;
  if (v1 && v4) throw clientError('InvalidArgument', 'A form has one signature.');
  const policy = needed(fields, 'policy');
  return v4 ? v4Claim(fields, policy) : v1Claim(fields, policy);
}

function v1Claim(fields: ReadonlyMap<string, string>, policy: string): PolicyClaim {
  const signature = needed(fields, 'signature');
  return {
    accessKeyId: needed(fields, 'ossaccesskeyid'),
    verify(secret) {
      const expected = createHmac('sha1', secret.reveal()).update(policy).digest('base64');
      if (!equalInConstantTime(expected, signature)) throw noMatch();
    },
  };
}

function v4Claim(fields: ReadonlyMap<string, string>, policy: string): PolicyClaim {
  if (needed(fields, 'x-oss-signature-version') !== V4_SCHEME) {
    throw invalid('x-oss-signature-version', `must be ${V4_SCHEME}`);
  }
  const credential = v4Credential(needed(fields, 'x-oss-credential'));
  if (credential === undefined) throw invalid('x-oss-credential', 'has another form');
  const time = needed(fields, 'x-oss-date');
  const signedAt = parseBasicIsoDate(time);
  if (signedAt === undefined || time.slice(0, 8) !== credential.scope.date) {
    throw invalid('x-oss-date', 'must be in the form yyyymmddThhmmssZ, of the day of the credential');
  }
  const signature = needed(fields, 'x-oss-signature');
  return {
    accessKeyId: credential.accessKeyId,
    verify(secret, now) {
      if (!equalInConstantTime(v4Signature(secret, credential.scope, latin1(policy)), signature)) throw noMatch();
      // Only a date in the future is refused. How long the form is valid, the policy says.
      if (signedAt.getTime() - now.getTime() <= MAX_SKEW_MILLISECONDS) return;
      throw clientError('AccessDenied', 'The form is not valid yet: x-oss-date is in the future.');
    },
  };
}

function readPostObject(bucket: string, fields: ReadonlyMap<string, string>): PostObject {
  const key = needed(fields, 'key');
  checkKey(key);
  if (fields.has('callback') || fields.has('x-oss-callback')) {
    throw clientError('NotImplemented', 'PostObject with a callback is not available.');
  }
  const put = readPutObject({ bucket, key }, formHeaders(fields), 'PostObject');
  return { ...put, kind: 'PostObject', reply: readReply(fields) };
}

/** Turns a form's fields into the headers that a PUT of the same object would have. */
function formHeaders(fields: ReadonlyMap<string, string>): HeaderList {
  const headers = new HeaderList();
  for (const [name, value] of fields) {
    const isHeader = HEADER_FIELDS.has(name) || (name.startsWith('x-oss-') && !SIGNATURE_FIELDS.has(name));
    if (isHeader) headers.append(name, headerValue(name, value));
  }
  return headers;
}

const STATUSES: ReadonlyMap<string | undefined, FormReply['status']> = new Map([
  ['200', 200],
  ['201', 201],
]);

/** Reads which answer the form asks for. A value that cannot be understood counts as absent. */
function readReply(fields: ReadonlyMap<string, string>): FormReply {
  const redirect = fields.get('success_action_redirect') ?? '';
  return {
    redirect: /^https?:/i.test(redirect) && URL.canParse(redirect) ? new URL(redirect) : undefined,
    status: STATUSES.get(fields.get('success_action_status')) ?? 204,
  };
}

function needed(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name) ?? '';
  if (value !== '') return value;
  throw invalid(name, 'is missing: a form must have this field, before its file');
}

function invalid(name: string, why: string): GatewayError {
  return clientError('InvalidArgument', `The form field ${name} ${why}.`, { details: { ArgumentName: name } });
}
