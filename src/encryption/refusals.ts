import { clientError, type GatewayError } from '../errors.ts';

/*
 * The refusals that are about a customer's key, with S3's messages. None of them says more of a key than S3 does.
 */

/** The object is encrypted with a customer's key, and the request brings none. */
export function customerKeyNeeded(): GatewayError {
  return clientError(
    'CustomerKeyNeeded',
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to ' +
      'retrieve the object.',
  );
}

/** The request brings a customer's key for an object that is not encrypted with one. */
export function customerKeyUnneeded(): GatewayError {
  return clientError('CustomerKeyUnneeded', 'The encryption parameters are not applicable to this object.');
}

/**
 * The envelope does not open under the customer's key that the request brings. Whether the key is another one or the
 * envelope was altered, nobody can tell.
 * @param cause what opening the envelope threw
 */
export function customerKeyWrong(cause: unknown): GatewayError {
  return clientError(
    'CustomerKeyWrong',
    'Access Denied: the object does not open under the key that was provided. Provide the key that the object was ' +
      'stored with.',
    { cause },
  );
}

/** The upload was begun with a customer's key, and the part brings none. */
export function uploadKeyNeeded(): GatewayError {
  return clientError(
    'CustomerKeyNeeded',
    'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate ' +
      'encryption parameters.',
  );
}

/** The upload was begun without a customer's key, and the request brings one. */
export function uploadKeyUnneeded(): GatewayError {
  return clientError(
    'CustomerKeyUnneeded',
    'The multipart upload initiate did not request encryption. Please resend the request without sending encryption ' +
      'parameters.',
  );
}

/** The upload was begun with another customer's key than the request brings. The upload stays usable. */
export function uploadKeyOther(): GatewayError {
  return clientError(
    'CustomerKeyUnneeded',
    'The provided encryption parameters did not match the ones used originally.',
  );
}
