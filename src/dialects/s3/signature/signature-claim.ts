import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { FrontSettings, SignatureClaim, VerifiedBody } from '../../front-dialect.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import { effectiveHeaders } from '../amz-fields.ts';
import { verifyBody } from './body-verification.ts';
import { canonicalPaths, canonicalQueries, canonicalRequest, signature, stringToSign } from './canonical-request.ts';
import { ChunkSignatures } from './chunk-signatures.ts';
import { type PayloadCandidate, payloadCandidates } from './payload.ts';
import { signedView } from './presigned-headers.ts';
import { readSignatureFields, type SignatureFields } from './signature-fields.ts';
import { expired, MAX_SKEW_MILLISECONDS, refuseSkew } from './signature-time.ts';
import { type SigningKey, signingKey } from './signing-key.ts';
import { isAcceptedRegion } from './signing-region.ts';
import { SigV2Claim } from './sigv2-claim.ts';

/**
 * Reads the signature of a request, of Version 4 or 2. It implements Reading.claim.
 * @throws GatewayError what readSignatureFields and payloadCandidates throw
 */
export function readClaim(request: WireRequest, settings: FrontSettings): SignatureClaim | undefined {
  const fields = readSignatureFields(request);
  if (fields === undefined) return undefined;
  if (fields.version === 2) return new SigV2Claim({ request, settings, fields });
  const payloads = payloadCandidates(request, fields.form);
  return new S3SignatureClaim({ request, settings, fields, payloads });
}

/** A signature of Version 4. */
class S3SignatureClaim implements SignatureClaim {
  readonly accessKeyId: string;
  readonly presigned: boolean;
  readonly #request: WireRequest;
  readonly #settings: FrontSettings;
  readonly #fields: SignatureFields;
  readonly #payloads: readonly PayloadCandidate[];

  constructor(claim: {
    readonly request: WireRequest;
    readonly settings: FrontSettings;
    readonly fields: SignatureFields;
    readonly payloads: readonly PayloadCandidate[];
  }) {
    this.#request = claim.request;
    this.#settings = claim.settings;
    this.#fields = claim.fields;
    this.#payloads = claim.payloads;
    this.accessKeyId = claim.fields.accessKeyId;
    this.presigned = claim.fields.form === 'query';
  }

  verify(secret: SigningSecret, now: Date): VerifiedBody {
    const fields = this.#fields;
    // Region and time are checked before the key is derived, so that strangers cannot make the gateway derive many
    // keys.
    checkRegion(fields, this.#settings);
    checkTime(fields, now);
    checkAllSigned(this.#request.headers, fields.signedHeaders);
    const key = signingKey(secret, fields.scope);
    const { payload } = this.#match(key);
    return verifyBody(
      this.#request,
      payload,
      payload.kind === 'chunked' && payload.signed
        ? new ChunkSignatures({ key, time: fields.time, scope: fields.scope, seed: fields.signature })
        : undefined,
    );
  }

  /**
   * Tries all ways in which the client may have signed: at most two paths, two queries and two payloads, eight HMACs.
   */
  #match(key: SigningKey): PayloadCandidate {
    const { method, target, query } = this.#request;
    const { signedHeaders, time, scope, form, signature: claimed } = this.#fields;
    const headers = signedView(effectiveHeaders(this.#request), query, signedHeaders);
    const queries = canonicalQueries(query, form === 'query' ? 'X-Amz-Signature' : undefined);
    let firstText: string | undefined;
    for (const path of canonicalPaths(target.rawPath)) {
      for (const canonical of queries) {
        for (const candidate of this.#payloads) {
          const parts = { method, path, query: canonical, headers, signedHeaders, payloadHash: candidate.word };
          const text = stringToSign(time, scope, canonicalRequest(parts));
          firstText ??= text;
          if (equalInConstantTime(signature(key, text), claimed)) return candidate;
        }
      }
    }
    throw clientError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your key and signing method.',
      // The error tells the gateway's string to sign, as S3 does. It has hashes and the scope, and nothing secret.
      { details: { AWSAccessKeyId: this.accessKeyId, StringToSign: firstText ?? '' } },
    );
  }
}

function checkRegion(fields: SignatureFields, { region, anyRegion }: FrontSettings): void {
  if (isAcceptedRegion(fields.scope.region, { region, anyRegion })) return;
  throw clientError(
    fields.form === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError',
    `The region in the signature's credential is wrong; expecting '${region}'.`,
    { details: { region } },
  );
}

function checkTime(fields: SignatureFields, now: Date): void {
  if (fields.scope.date !== fields.time.slice(0, 8)) {
    throw clientError(
      fields.form === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError',
      'The date in the credential is not the date of the request.',
    );
  }
  if (fields.expiresSeconds === undefined) {
    refuseSkew(fields.signedAt, fields.time, now);
    return;
  }
  const ageMilliseconds = now.getTime() - fields.signedAt.getTime();
  if (-ageMilliseconds > MAX_SKEW_MILLISECONDS) {
    throw clientError('AccessDenied', 'The request is not valid yet: X-Amz-Date is in the future.');
  }
  if (fields.expiresSeconds === 0 || ageMilliseconds > fields.expiresSeconds * 1000) {
    throw expired({ 'X-Amz-Expires': String(fields.expiresSeconds) }, now);
  }
}

/**
 * Refuses an x-amz header that is not signed, because anyone on the way could have added it: for example an ACL or a
 * copy source. x-amz-content-sha256 need not be listed, and old SDKs do not list it: its value stands at the end of the
 * canonical request, so it is always signed.
 */
function checkAllSigned(headers: HeaderList, signedHeaders: readonly string[]): void {
  const signed = new Set(signedHeaders);
  headers.forEach((name) => {
    if (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !signed.has(name)) {
      throw clientError('AccessDenied', 'There were headers present in the request which were not signed.', {
        details: { HeadersNotSigned: name.slice(0, 128) },
      });
    }
  });
}
