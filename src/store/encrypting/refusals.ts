import type { StoreEncryption } from '../../dialects/store-encryption.ts';
import { GatewayError } from '../../errors.ts';

const ASKED: Readonly<Record<StoreEncryption['kind'], string>> = {
  managed: 'SSE-S3 (inject: managed)',
  kms: 'SSE-KMS (inject: kms)',
  customer: 'SSE-C (inject: customer)',
};

/** The store has stored an object and not encrypted it as it was asked to. */
export function storedUnencrypted(kind: StoreEncryption['kind'], wasRemoved: boolean): GatewayError {
  const after = wasRemoved ? 'and was removed again' : 'and could not be removed: remove it';
  return new GatewayError(
    'BackendError',
    `The backend stored the object without the encryption that it was asked for, ${ASKED[kind]}. It lay there in clear, ` +
      `${after}. Nothing is written to this bucket while the backend does so.`,
    { source: 'backend' },
  );
}

/** The store did so with another object a moment ago. */
export function ignoresEncryption(kind: StoreEncryption['kind']): GatewayError {
  return new GatewayError(
    'BackendError',
    `The backend does not encrypt as it is asked to, ${ASKED[kind]}. Nothing was sent to it, because it would lie there ` +
      'in clear.',
    { source: 'backend' },
  );
}

/** The store says that it cannot encrypt so. */
export function cannotEncrypt(kind: StoreEncryption['kind'], cause: GatewayError): GatewayError {
  const hint = kind === 'customer' ? '' : ' It may have no KMS.';
  return new GatewayError('NotImplemented', `The backend says that it has no ${ASKED[kind]}.${hint}`, {
    source: 'backend',
    cause,
    details: cause.details,
  });
}

/** Keys would go to the store in clear. */
export function needsTls(): GatewayError {
  return new GatewayError(
    'NotImplemented',
    `The bucket’s policy asks for ${ASKED.customer}, for which the backend must be reached over https.`,
    { source: 'gateway' },
  );
}

/** The object does not open under any version of the tenant's key that is alive, as far as the store tells. */
export function noKeyFits(cause: GatewayError): GatewayError {
  return new GatewayError(
    'AccessDenied',
    'The backend denies it: the object is encrypted under a key that the tenant does not have any more, or the ' +
      'credentials that the backend was asked with do not allow it.',
    { source: 'backend', cause, details: cause.details },
  );
}
