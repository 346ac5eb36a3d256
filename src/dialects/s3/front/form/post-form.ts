import { clientError, type GatewayError } from '../../../../errors.ts';
import { formBoundary } from '../../../../wire/bodies/form-reader.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireRequest } from '../../../../wire/message.ts';
import { openForm } from '../../../form/open-form.ts';
import type { FormReaders, FrontSettings, ParsedRequest } from '../../../front-dialect.ts';
import { readBodyClaims } from '../../signature/body-claims.ts';
import { verifySource } from '../../signature/body-verification.ts';
import { readSignatureFields } from '../../signature/signature-fields.ts';
import { readPolicyClaim } from './post-claim.ts';
import { formHeaders, readPostObject } from './post-object.ts';

/** How S3 reads forms. */
export const s3Forms: FormReaders = {
  freeFields: new Set(['policy', 'x-amz-signature', 'signature', 'awsaccesskeyid']),
  claim: readPolicyClaim,
  operation: readPostObject,
  body: (file, fields, mostBytes) =>
    verifySource(file, readBodyClaims(formHeaders(fields), { kind: 'unsigned' }), mostBytes),
};

/**
 * Reads the head of a form upload (S3 API reference, "sigv4-authentication-HTTPPOST"). The form itself is read when it
 * is opened.
 * @param headers the request's headers, and those that a presigned URL has in its query
 * @throws GatewayError PreconditionFailed (not a form), MalformedPOSTRequest, InvalidArgument, AccessDenied
 */
export function parseForm(
  bucket: string,
  request: WireRequest,
  headers: HeaderList,
  settings: FrontSettings,
): ParsedRequest {
  const boundary = formBoundary(headers.get('content-type'));
  if (boundary === undefined) throw notAForm();
  checkFormHeaders(request, headers);
  return {
    kind: 'form',
    name: 'PostObject',
    bucket,
    open: (readersOf) => openForm(request, { bucket, boundary, settings, own: s3Forms }, readersOf),
  };
}

/**
 * Refuses a signature, Content-MD5 and x-amz headers in the request's head: the form's signature does not cover them.
 */
function checkFormHeaders(request: WireRequest, headers: HeaderList): void {
  if (readSignatureFields(request) !== undefined) {
    throw clientError(
      'InvalidArgument',
      'Only one auth mechanism allowed: a form carries its signature in its fields.',
    );
  }
  if (headers.has('content-md5')) {
    throw clientError(
      'NotImplemented',
      'Content-MD5 of a whole form is not available; the form field of that name is.',
    );
  }
  for (const [name] of headers) {
    if (!/^x-amz-/i.test(name)) continue;
    throw clientError('AccessDenied', 'There were headers present in the request which were not signed.', {
      details: { HeadersNotSigned: name.toLowerCase().slice(0, 128) },
    });
  }
}

function notAForm(): GatewayError {
  return clientError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
  });
}
