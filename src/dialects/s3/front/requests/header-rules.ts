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

/**
 * Which x-amz-* request headers mean what. On a write an unknown one is refused: to ignore it could store an object
 * otherwise than the client believes. On a read S3 itself ignores unknown ones, and so does the gateway, but for those
 * that ask for protection or guard the request.
 */
export type HeaderTreatment = 'ignored' | 'vendor' | 'metadata' | 'sse' | 'unknown';

/**
 * Signature, transport framing and checksums (src/dialects/s3/body-*.ts reads them), and what SDKs add for statistics.
 */
const IGNORED: ReadonlySet<string> = new Set([
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-decoded-content-length',
  'x-amz-trailer',
  'x-amz-api-version', // the SDK for C++ states the only one there is, 2006-03-01, with every request
  'x-amz-user-agent',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-type',
  ...CHECKSUM_HEADERS,
  'x-amz-mp-object-size',
  'x-amz-optional-object-attributes',
]);

/** Stores keep these settings with an object, and protection does not touch them. */
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

/** With these a backend may delete what it would otherwise keep. */
const DELETION: ReadonlySet<string> = new Set([...ACCOUNT, 'x-amz-bypass-governance-retention', 'x-amz-mfa']);

const NOTHING: ReadonlySet<string> = new Set();

/** @param name lower case, begins with `x-amz-` */
function treatHeader(name: string, vendor: ReadonlySet<string>): HeaderTreatment {
  if (IGNORED.has(name) || name.startsWith('x-amz-sdk-')) return 'ignored';
  if (vendor.has(name)) return 'vendor';
  if (name.startsWith(S3_VOCABULARY.metadataPrefix)) return 'metadata';
  return speaksOfEncryption(name) ? 'sse' : 'unknown';
}

/** @param name lower case, begins with `x-amz-` */
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

/** @throws GatewayError NotImplemented for an x-amz header beside those of encryption */
export function checkPartHeaders(headers: HeaderList, operation: string): void {
  collectVendor(headers, operation, NOTHING, undefined, { readsEncryption: true });
}

/** @throws GatewayError NotImplemented for an x-amz header beside those that say what to copy, and of encryption */
export function checkPartCopyHeaders(headers: HeaderList, operation: string): void {
  collectVendor(headers, operation, PART_COPY, undefined, { readsEncryption: true });
}

/**
 * @throws GatewayError NotImplemented for an x-amz header that must not reach the backend, or be ignored; InvalidArgument
 *   for two content types, of which a backend might sign for another one than the gateway
 */
export function checkForwardHeaders(headers: HeaderList, operation: string): void {
  singleHeader(headers, 'content-type');
  collectVendor(headers, operation, forwardedFields(operation).requestHeaders, undefined);
}

/**
 * For DeleteBucket and what belongs to an upload under way, which take no vendor header: a customer key that was
 * ignored would mislead.
 * @throws GatewayError NotImplemented
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

/** No trait of objects tells any of these headers. */
function vendorOf(headers: HeaderList): VendorHeaders | undefined {
  if (headers.size === 0) return undefined;
  return { dialect: 's3', headers, beyondTraits: [...headers].map(([name]) => name.toLowerCase()) };
}

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

export function unavailable(name: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
}

const EXPECTED_OWNER = 'x-amz-expected-bucket-owner';

/**
 * For reads that no encryption can mean anything to.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function checkReadHeaders(headers: HeaderList, operation: string): void {
  if (READ_ENCRYPTION_HEADERS.some((name) => headers.has(name))) refuseEncryption(headers, operation);
  if (headers.has(EXPECTED_OWNER)) throw unavailable(EXPECTED_OWNER, operation);
}

/**
 * For reads of an object: what they ask about its encryption.
 * @throws GatewayError NotImplemented, InvalidArgument
 */
export function readReadEncryption(headers: HeaderList, operation: string): AskedEncryption | undefined {
  const asks = READ_ENCRYPTION_HEADERS.some((name) => headers.has(name));
  const encryption = asks ? readLaterEncryption(headers, { operation }) : undefined;
  if (headers.has(EXPECTED_OWNER)) throw unavailable(EXPECTED_OWNER, operation);
  return encryption;
}
