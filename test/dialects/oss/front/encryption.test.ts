import { describe, expect, it } from 'vitest';
import { ossFront } from '../../../../src/dialects/oss/front/front.ts';
import { OSS_OPERATIONS } from '../../../../src/dialects/oss/operation-table.ts';
import type { GatewayError } from '../../../../src/errors.ts';
import { wireRequest } from '../../../support/requests.ts';

const SETTINGS = { region: 'us-east-1', domains: [] };
const METHOD = 'x-oss-server-side-encryption';
/** The operations that may say how an object is encrypted. A form says it in a field. */
const BEGIN = ['PutObject', 'CopyObject', 'InitiateMultipartUpload', 'PostObject'];
const PATHS = { service: '/', bucket: '/bucket', object: '/bucket/key' } as const;
const VALUES: Readonly<Record<string, string>> = { 'list-type': '2', uploadId: 'U' };

type Operation = (typeof OSS_OPERATIONS)[number];

function refusalOf({ method, level, subresource, needsHeader }: Operation, headers: Readonly<Record<string, string>>) {
  const query = subresource === undefined ? '' : `?${subresource}=${VALUES[subresource] ?? ''}&partNumber=1`;
  const target =
    PATHS[level] + (subresource === 'uploadId' && method === 'PUT' ? query : query.replace('&partNumber=1', ''));
  const all = {
    Host: 'h',
    'Content-MD5': 'XUFAKrxLKna5cZ2REBfFkg==',
    ...headers,
    ...(needsHeader && { [needsHeader]: '/bucket/source' }),
  };
  const [reading] = ossFront.readings(wireRequest({ method, target, headers: Object.entries(all) }), SETTINGS);
  try {
    const parsed = reading.parse();
    return 'operation' in parsed && 'encryption' in parsed.operation ? parsed.operation.encryption : parsed.kind;
  } catch (error) {
    const { code, details } = error as GatewayError;
    return [code, details.EC];
  }
}

const AVAILABLE = OSS_OPERATIONS.filter(({ treatment }) => treatment !== 'refused');

describe('x-oss-server-side-encryption', () => {
  it.each(AVAILABLE.filter(({ name }) => !BEGIN.includes(name)))(
    '$name does not have it, whatever its value',
    (row) => {
      for (const value of ['AES256', 'KMS', 'SM4', 'nonsense']) {
        expect(refusalOf(row, { [METHOD]: value })).toEqual(['InvalidArgument', '0005-00000002']);
      }
      expect(refusalOf(row, { [`${METHOD}-key-id`]: 'k' })).toEqual(['InvalidArgument', '0005-00000002']);
      expect(refusalOf(row, {})).not.toEqual(['InvalidArgument', '0005-00000002']);
    },
  );

  it.each(AVAILABLE.filter(({ name }) => BEGIN.includes(name) && name !== 'PostObject'))('$name has it', (row) => {
    const asked = (headers: Readonly<Record<string, string>>) => refusalOf(row, headers);
    expect(asked({ [METHOD]: 'AES256' })).toEqual({ kind: 'managed', algorithm: 'AES256' });
    expect(asked({ [METHOD]: 'KMS' })).toEqual({ kind: 'kms', keyId: undefined, context: undefined });
    expect(asked({ [METHOD]: 'KMS', [`${METHOD}-key-id`]: 'k' })).toMatchObject({ kind: 'kms', keyId: 'k' });
    for (const value of ['SM4', 'aes256', '']) {
      expect(asked({ [METHOD]: value })).toEqual(['InvalidEncryptionAlgorithm', undefined]);
    }
    expect(asked({ [`${METHOD}-key-id`]: 'k' })).toEqual(['InvalidArgument', undefined]);
    expect(asked({ [METHOD]: 'AES256', [`${METHOD}-key-id`]: 'k' })).toEqual(['InvalidArgument', undefined]);
    expect(asked({ [METHOD]: 'KMS', [`${METHOD}-context`]: 'e30=' })).toEqual(['InvalidArgument', '0005-00000228']);
    const others = [`${METHOD}-customer-algorithm`, 'x-oss-server-side-data-encryption', 'x-oss-callback'];
    for (const name of others) expect(asked({ [name]: 'x' })).toEqual(['NotImplemented', undefined]);
  });
});
