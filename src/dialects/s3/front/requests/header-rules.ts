import { clientError } from '../../../../errors.ts';
import type { AskedEncryption } from '../../../../operations/encryption.ts';
import type { VendorHeaders } from '../../../../operations/object.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import { singleHeader } from '../../../object-metadata.ts';
import { CHECKSUM_HEADERS } from '../../checksum.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import {
  READ_ENCRYPTION_HEADERS,
  readLaterEncryption,
  refuseEncryption,
  speaksOfEncryption,
} from './encryption-headers.ts';
import { ACCOUNT, forwardedFields, GRANTS } from './forwarded-fields.ts';

/*
 * Says what the x-amz-* headers of requests mean. In a write an unknown one is refused, because the object could
 * otherwise be stored in another way than the client believes. In a read S3 ignores unknown ones, and so does the
 * gateway, except for those that ask for encryption or that make the request conditional on the bucket's owner.
 */

/** What is done with a header. A header that is `ignored` here may be read elsewhere. */
export type HeaderTreatment = 'ignored' | 'vendor' | 'metadata' | 'sse' | 'unknown';

/**
 * Headers that do not change what a request asks for. Those of signature, framing and checksums are read by
 * dialects/s3/signature; SDKs add others for statistics.
 */
const IGNORED: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
  'x-amz-api-version', // The SDK for C++ sends it with every request. There is one version, 2006-03-01.
  'x-amz-user-agent',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-type',
  ...CHECKSUM_HEADERS,
  'x-amz-mp-object-size',
  'x-amz-optional-object-attributes',
]);

/** The headers for settings that the store keeps with an object. Sealing does not change them. */
const OBJECT_VENDOR: ReadonlySet<string> = new Set([
  ...GRANTS,
  ...ACCOUNT,
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-object-lock-legal-hold',
]);

const BUCKET_VENDOR: ReadonlySet<string> = new Set([
  ...GRANTS,
  'x-amz-bucket-object-lock-enabled',
  'x-amz-object-ownership',
]);

/** The headers of deletions. With some of them a backend deletes what it would otherwise keep. */
const DELETION: ReadonlySet<string> = new Set([...ACCOUNT, 'x-amz-bypass-governance-retention', 'x-amz-mfa']);

/** The headers of operations on a bucket's policy. */
const POLICY: ReadonlySet<string> = new Set([...ACCOUNT, 'x-amz-confirm-remove-self-bucket-access']);

const NOTHING: ReadonlySet<string> = new Set();

/** @param name in lower case; it begins with `x-amz-` */
function treatHeader(name: string, vendor: ReadonlySet<string>): HeaderTreatment {
  if (IGNORED.has(name) || name.startsWith('x-amz-sdk-')) return 'ignored';
  if (vendor.has(name)) return 'vendor';
  if (name.startsWith(S3_VOCABULARY.metadataPrefix)) return 'metadata';
  return speaksOfEncryption(name) ? 'sse' : 'unknown';
}

/** What is done with a header of a request that writes an object. @param name in lower case; it begins with `x-amz-` */
export function treatObjectHeader(name: string): HeaderTreatment {
  return treatHeader(name, OBJECT_VENDOR);
}

/**
 * Collects the vendor headers of a CreateBucket.
 * @throws GatewayError NotImplemented
 */
export function bucketVendorHeaders(headers: HeaderList): VendorHeaders | undefined {
  return vendorOf(collectVendor(headers, 'CreateBucket', BUCKET_VENDOR, new HeaderList()));
}

/** The headers that name a copy's source and set conditions on it. */
export const COPY_SOURCE_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-unmodified-since',
]);

const PART_COPY: ReadonlySet<string> = new Set([...COPY_SOURCE_HEADERS, 'x-amz-copy-source-range']);

/** Checks the headers of an UploadPart. @throws GatewayError NotImplemented for an x-amz header it does not have */
export function checkPartHeaders(headers: HeaderList, operation: string): void {
  collectVendor(headers, operation, NOTHING, undefined, { readsEncryption: true });
}

/** Checks the headers of an UploadPartCopy. @throws GatewayError NotImplemented for an x-amz header it does not have */
export function checkPartCopyHeaders(headers: HeaderList, operation: string): void {
  collectVendor(headers, operation, PART_COPY, undefined, { readsEncryption: true });
}

/**
 * Checks the headers of a forwarded request.
 * @throws GatewayError NotImplemented for an x-amz header that the operation does not have; InvalidArgument for two
 *   different content types, because gateway and backend might each sign another one
 */
export function checkForwardHeaders(headers: HeaderList, operation: string): void {
  singleHeader(headers, 'content-type');
  collectVendor(headers, operation, forwardedFields(operation).requestHeaders, undefined);
}

/**
 * Checks the headers of a CompleteMultipartUpload, and reads those about encryption: clients may send the upload's
 * customer key, which is not needed.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function readManagingEncryption(headers: HeaderList, operation: string): AskedEncryption | undefined {
  collectVendor(headers, operation, NOTHING, undefined, { readsEncryption: true });
  const asked = readLaterEncryption(headers, { operation });
  if (asked?.kind === 'customer') asked.key.check();
  return asked;
}

/**
 * Checks the headers of DeleteBucket and AbortMultipartUpload. They take no vendor header, and of those about
 * encryption only a customer key, which they do not need.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function checkDeleteHeaders(headers: HeaderList, operation: string): void {
  collectVendor(headers, operation, NOTHING, undefined);
}

/**
 * Collects the vendor headers of a deletion.
 * @throws GatewayError NotImplemented
 */
export function deleteVendorHeaders(headers: HeaderList, operation: string): VendorHeaders | undefined {
  return vendorOf(collectVendor(headers, operation, DELETION, new HeaderList()));
}

/**
 * Collects the vendor headers of an operation on a bucket's policy.
 * @throws GatewayError NotImplemented
 */
export function policyVendorHeaders(headers: HeaderList, operation: string): VendorHeaders | undefined {
  return vendorOf(collectVendor(headers, operation, POLICY, new HeaderList()));
}

/** None of these headers has a neutral form (ObjectTraits), so only a store that speaks S3 can be sent them. */
function vendorOf(headers: HeaderList): VendorHeaders | undefined {
  if (headers.size === 0) return undefined;
  return { dialect: 's3', headers, beyondTraits: [...headers].map(([name]) => name.toLowerCase()) };
}

/**
 * Goes through the x-amz headers of a request. It appends those that `vendor` names to `into`, and refuses those that
 * the operation does not have.
 */
function collectVendor<Into extends HeaderList | undefined>(
  headers: HeaderList,
  operation: string,
  vendor: ReadonlySet<string>,
  into: Into,
  { readsEncryption = false } = {},
): Into {
  headers.forEach((name, value, raw) => {
    if (!name.startsWith('x-amz-')) return;
    const treatment = treatHeader(name, vendor);
    if (treatment === 'vendor') into?.append(raw, value);
    else if (treatment === 'sse' && readsEncryption) return;
    else if (treatment === 'sse') refuseEncryption(headers, operation);
    else if (treatment !== 'ignored' && name !== 'x-amz-request-payer') throw unavailable(name, operation);
  });
  return into;
}

/** The error for a header that the gateway does not handle. */
export function unavailable(name: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
}

const EXPECTED_OWNER = 'x-amz-expected-bucket-owner';

/**
 * Checks the headers of a read that cannot have headers about encryption.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function checkReadHeaders(headers: HeaderList, operation: string): void {
  if (READ_ENCRYPTION_HEADERS.some((name) => headers.has(name))) refuseEncryption(headers, operation);
  if (headers.has(EXPECTED_OWNER)) throw unavailable(EXPECTED_OWNER, operation);
}

/**
 * Checks the headers of a read of an object, and reads those about encryption.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function readReadEncryption(headers: HeaderList, operation: string): AskedEncryption | undefined {
  const asks = READ_ENCRYPTION_HEADERS.some((name) => headers.has(name));
  const encryption = asks ? readLaterEncryption(headers, { operation }) : undefined;
  if (headers.has(EXPECTED_OWNER)) throw unavailable(EXPECTED_OWNER, operation);
  return encryption;
}
