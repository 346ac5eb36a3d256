import type { HeaderList } from '../../../wire/headers.ts';
import type { StoredEncryption, StoreEncryption } from '../../store-encryption.ts';

/*
 * The headers by which a store is asked to encrypt by itself, and by which it says what it has done. Source: the S3 API
 * reference, "Request Syntax" and "Response Syntax" of the operations on objects.
 */

export const ENCRYPTION_PREFIX = 'x-amz-server-side-encryption';
const SOURCE_PREFIX = 'x-amz-copy-source-server-side-encryption';

/** Appends what asks for the encryption of a new object. */
export function addEncryption(headers: HeaderList, encryption: StoreEncryption | undefined): void {
  switch (encryption?.kind) {
    case 'managed':
      headers.append(ENCRYPTION_PREFIX, 'AES256');
      return;
    case 'kms': {
      const { keyId, context, bucketKey } = encryption;
      headers.append(ENCRYPTION_PREFIX, 'aws:kms');
      if (keyId !== undefined) headers.append(`${ENCRYPTION_PREFIX}-aws-kms-key-id`, keyId);
      if (context !== undefined) headers.append(`${ENCRYPTION_PREFIX}-context`, context.toString('base64'));
      if (bucketKey) headers.append(`${ENCRYPTION_PREFIX}-bucket-key-enabled`, 'true');
      return;
    }
    case 'customer':
      addCustomerKey(headers, encryption);
  }
}

/**
 * Appends the key of an object or an upload that exists. S3 refuses there what names another form than a customer key,
 * and finds out by itself which one it was.
 */
export function addObjectKey(headers: HeaderList, encryption: StoreEncryption | undefined): void {
  if (encryption?.kind === 'customer') addCustomerKey(headers, encryption);
}

/** Appends the key of a copy's source. */
export function addSourceKey(headers: HeaderList, encryption: StoreEncryption | undefined): void {
  if (encryption?.kind === 'customer') addCustomerKey(headers, encryption, SOURCE_PREFIX);
}

function addCustomerKey(
  headers: HeaderList,
  { key }: Extract<StoreEncryption, { readonly kind: 'customer' }>,
  prefix = ENCRYPTION_PREFIX,
): void {
  headers.append(`${prefix}-customer-algorithm`, 'AES256');
  headers.append(`${prefix}-customer-key`, key.bytes.toString('base64'));
  headers.append(`${prefix}-customer-key-MD5`, key.md5.toString('base64'));
}

/** The headers of an answer that tell of encryption, as they come one by one. */
export class EncryptionReader {
  #method: string | undefined;
  #keyId: string | undefined;
  #bucketKey = false;
  #customer = false;
  #keyMd5: string | undefined;

  /** @param name in lower case; it begins with ENCRYPTION_PREFIX */
  add(name: string, value: string): void {
    switch (name.slice(ENCRYPTION_PREFIX.length)) {
      case '':
        this.#method = value;
        break;
      case '-aws-kms-key-id':
        this.#keyId = value;
        break;
      case '-bucket-key-enabled':
        this.#bucketKey = value === 'true';
        break;
      case '-customer-algorithm':
        this.#customer = true;
        break;
      case '-customer-key-md5':
        this.#keyMd5 = value;
        break;
    }
  }

  /** What they say together; undefined where the object is not encrypted, or in a way that is not known. */
  get said(): StoredEncryption | undefined {
    if (this.#customer) return { kind: 'customer', keyMd5: this.#keyMd5 };
    if (this.#method === 'AES256') return { kind: 'managed' };
    // Two layers (aws:kms:dsse) are more than one, and named by the same key.
    if (this.#method?.startsWith('aws:kms') !== true) return undefined;
    return { kind: 'kms', keyId: this.#keyId, bucketKey: this.#bucketKey };
  }
}
