import { createHmac } from 'node:crypto';
import { clientError } from '../../../errors.ts';
import { equalInConstantTime } from '../../../wire/constant-time.ts';
import type { WireRequest } from '../../../wire/message.ts';
import type { FrontSettings, LegacySignature, SignatureClaim, VerifiedBody } from '../../front-dialect.ts';
import { hostBucket } from '../../host-bucket.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import { verifyBody } from './body-verification.ts';
import { unsignedPayload } from './payload.ts';
import { expired, refuseSkew } from './signature-time.ts';
import { type SigV2Fields, sigV2 } from './sigv2-fields.ts';
import { stringsToSign } from './sigv2-string.ts';

/** A signature of Version 2, which is an HMAC-SHA1 of a part of the head. Only tenants that enabled it may use it. */
export class SigV2Claim implements SignatureClaim {
  readonly accessKeyId: string;
  readonly presigned: boolean;
  readonly legacy: LegacySignature;
  readonly #request: WireRequest;
  readonly #settings: FrontSettings;
  readonly #fields: SigV2Fields;

  constructor(claim: {
    readonly request: WireRequest;
    readonly settings: FrontSettings;
    readonly fields: SigV2Fields;
  }) {
    this.#request = claim.request;
    this.#settings = claim.settings;
    this.#fields = claim.fields;
    this.accessKeyId = claim.fields.accessKeyId;
    this.presigned = claim.fields.valid.kind === 'until';
    const { method } = claim.request;
    this.legacy = sigV2({ presignedRead: this.presigned && (method === 'GET' || method === 'HEAD') });
  }

  verify(secret: SigningSecret, now: Date): VerifiedBody {
    const { valid } = this.#fields;
    if (valid.kind === 'around') refuseSkew(valid.time, valid.text, now);
    else if (now > valid.time) throw expired({ Expires: valid.time.toISOString() }, now);
    this.#match(secret);
    return verifyBody(this.#request, unsignedPayload(this.#request), undefined);
  }

  /**
   * Tries all ways in which the client may have signed: at most four paths, and three spellings of the sub-resources.
   */
  #match(secret: SigningSecret): void {
    const { dateLine, signature } = this.#fields;
    const texts = stringsToSign(this.#request, { dateLine, hostBucket: hostBucket(this.#request, this.#settings) });
    const key = secret.reveal();
    for (const text of texts) {
      if (equalInConstantTime(createHmac('sha1', key).update(text, 'latin1').digest('base64'), signature)) return;
    }
    throw clientError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your key and signing method.',
      { details: { AWSAccessKeyId: this.accessKeyId, StringToSign: withoutValues(texts[0] ?? '') } },
    );
  }
}

/** Hides header values in the string to sign that an error tells, because they may be metadata or customer keys. */
function withoutValues(text: string): string {
  return text.replace(/^(x-amz-(?!date:)[^:\n]*):.*$/gm, '$1:…');
}
