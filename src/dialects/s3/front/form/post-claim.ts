import { createHmac } from 'node:crypto';
import { clientError, type GatewayError } from '../../../../errors.ts';
import { equalInConstantTime } from '../../../../wire/constant-time.ts';
import { parseBasicIsoDate } from '../../../../wire/dates.ts';
import type { FrontSettings, PolicyClaim } from '../../../front-dialect.ts';
import { ALGORITHM, credential, ECDSA_ALGORITHM, noEcdsa, refuseToken } from '../../signature/signature-fields.ts';
import { MAX_SKEW_MILLISECONDS } from '../../signature/signature-time.ts';
import { signingKey } from '../../signature/signing-key.ts';
import { isAcceptedRegion } from '../../signature/signing-region.ts';
import { sigV2 } from '../../signature/sigv2-fields.ts';

/**
 * Reads the signature of a form's policy, of Signature Version 4 or 2.
 * @param fields the form's fields, by name in lower case
 * @returns undefined for a form that nobody signed
 * @throws GatewayError InvalidArgument, AuthorizationQueryParametersError, InvalidToken, NotImplemented (ECDSA)
 */
export function readPolicyClaim(fields: ReadonlyMap<string, string>, settings: FrontSettings): PolicyClaim | undefined {
  refuseToken(fields.has('x-amz-security-token'));
  const v4 = V4_FIELDS.some((name) => fields.has(name));
  const v2 = V2_FIELDS.some((name) => fields.has(name));
  if (!v4 && !v2 && !fields.has('policy')) return undefined;
  if (v4 && v2) {
    throw clientError('InvalidArgument', 'Only one auth mechanism allowed: a form has one signature.');
  }
  const policy = needed(fields, 'policy');
  return v2 ? readV2(fields, policy) : readV4(fields, policy, settings);
}

const V4_FIELDS = ['x-amz-signature', 'x-amz-credential', 'x-amz-algorithm'];
const V2_FIELDS = ['signature', 'awsaccesskeyid'];

function readV4(fields: ReadonlyMap<string, string>, policy: string, settings: FrontSettings): PolicyClaim {
  const algorithm = needed(fields, 'x-amz-algorithm');
  if (algorithm === ECDSA_ALGORITHM) throw noEcdsa();
  if (algorithm !== ALGORITHM) throw malformed(`x-amz-algorithm must be ${ALGORITHM}`);
  const { accessKeyId, scope } = credential(needed(fields, 'x-amz-credential'), malformed);
  const time = needed(fields, 'x-amz-date');
  const signedAt = parseBasicIsoDate(time);
  if (signedAt === undefined) throw malformed('x-amz-date must be in the form yyyymmddThhmmssZ');
  if (scope.date !== time.slice(0, 8)) throw malformed('the date in x-amz-credential is not that of x-amz-date');
  const signature = needed(fields, 'x-amz-signature');
  return {
    accessKeyId,
    verify(secret, now) {
      if (!isAcceptedRegion(scope.region, settings)) {
        const message = `the region in x-amz-credential is wrong; expecting '${settings.region}'`;
        throw malformed(message, { region: settings.region });
      }
      // Only a date in the future is refused. How long the form is valid, the policy says.
      if (signedAt.getTime() - now.getTime() > MAX_SKEW_MILLISECONDS) {
        throw clientError('AccessDenied', 'The form is not valid yet: x-amz-date is in the future.');
      }
      if (!equalInConstantTime(signingKey(secret, scope).sign(wireText(policy)), signature))
        throw noMatch(accessKeyId, policy);
    },
  };
}

/** Reads a signature of the deprecated Version 2, which only tenants that enabled it may use. */
function readV2(fields: ReadonlyMap<string, string>, policy: string): PolicyClaim {
  const accessKeyId = needed(fields, 'AWSAccessKeyId');
  const signature = needed(fields, 'signature');
  return {
    accessKeyId,
    legacy: sigV2({ presignedRead: false }),
    verify(secret) {
      const expected = createHmac('sha1', secret.reveal()).update(policy).digest('base64');
      if (!equalInConstantTime(expected, signature)) throw noMatch(accessKeyId, policy);
    },
  };
}

/** Writes the UTF-8 bytes of a text as latin1 characters, because `sign` hashes latin1. */
function wireText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function needed(fields: ReadonlyMap<string, string>, name: string): string {
  const value = fields.get(name.toLowerCase());
  if (value !== undefined && value !== '') return value;
  throw missingField(name);
}

/** The error for a form without a field that it needs. Its message has S3's words, because users search for them. */
export function missingField(name: string): GatewayError {
  return clientError(
    'InvalidArgument',
    `Bucket POST must contain a field named '${name}'. If it is specified, please check the order of the fields.`,
    { details: { ArgumentName: name, ArgumentValue: '' } },
  );
}

function malformed(reason: string, details: Readonly<Record<string, string>> = {}): GatewayError {
  return clientError('AuthorizationQueryParametersError', `Error parsing the form’s signature: ${reason}.`, {
    details,
  });
}

function noMatch(accessKeyId: string, policy: string): GatewayError {
  return clientError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    { details: { AWSAccessKeyId: accessKeyId, StringToSign: policy } },
  );
}
