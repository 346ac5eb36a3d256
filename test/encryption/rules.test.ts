import { describe, expect, it, test } from 'vitest';
import { checkAskedForms, customerKeysOf, ENCRYPTION_RULES } from '../../src/encryption/rules.ts';
import { clientError } from '../../src/errors.ts';
import { type AskedEncryption, CustomerKey, type EncryptionForm } from '../../src/operations/encryption.ts';
import type { CopyObject, Operation } from '../../src/operations/operation.ts';
import { getOf, putOf, refusalOf } from '../pipeline/in-process.ts';

const KEY = new CustomerKey(Buffer.alloc(32, 0x5a), Buffer.alloc(16, 0xa5));
const FORMS: readonly AskedEncryption[] = [
  { kind: 'managed', algorithm: 'AES256' },
  { kind: 'kms', keyId: 'cards', context: undefined },
  { kind: 'customer', key: KEY },
];
const ref = { bucket: 'b', key: 'k' };
const part = { ref, uploadId: 'u', partNumber: 1 };
const source = { ref, conditions: {} };
const copy: CopyObject = {
  kind: 'CopyObject',
  ref,
  source,
  replacement: undefined,
  tags: 'copy',
  checksumAlgorithm: undefined,
  conditions: {},
};
const metadata = putOf('k').metadata;
const OPERATIONS: readonly Operation[] = [
  putOf('k'),
  { ...putOf('k'), kind: 'PostObject', reply: { redirect: undefined, status: 204 } },
  copy,
  { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined },
  { kind: 'UploadPart', ...part },
  { kind: 'UploadPartCopy', ...part, source, range: undefined },
  { kind: 'ListParts', ref, uploadId: 'u', partNumberMarker: 0, maxParts: 1, urlEncoded: false },
  {
    kind: 'CompleteMultipartUpload',
    ref,
    uploadId: 'u',
    parts: [],
    smallestPartBytes: 1,
    checksum: undefined,
    composite: undefined,
    plaintextBytes: undefined,
    conditions: {},
  },
  getOf('k'),
  { ...getOf('k'), kind: 'HeadObject' },
  { kind: 'GetObjectAttributes', ref, attributes: new Set(), partNumberMarker: 0, maxParts: 1 },
];

const only = (...forms: readonly EncryptionForm[]) => ({ has: (form: EncryptionForm) => forms.includes(form) });
const refusal = (operation: Operation, has: ReturnType<typeof only>) =>
  refusalOf((async () => checkAskedForms(operation, has))());

describe('of every operation that can ask', () => {
  it('has a rule, and there is no rule beside', () => {
    const kinds = OPERATIONS.map(({ kind }) => kind);
    expect(Object.keys(ENCRYPTION_RULES).sort()).toEqual([...kinds, 'CopySource'].sort());
  });

  test.each(OPERATIONS)('$kind', async (operation) => {
    const begins = ['PutObject', 'PostObject', 'CopyObject', 'CreateMultipartUpload'].includes(operation.kind);
    expect(await refusal(operation, only())).toBe('none');
    for (const encryption of FORMS) {
      const asking = { ...operation, encryption } as Operation;
      const wrong = !begins && encryption.kind !== 'customer';
      expect(await refusal(asking, only())).toBe(wrong ? 'InvalidArgument' : 'NotImplemented');
      expect(await refusal(asking, only('managed'))).toBe(
        wrong ? 'InvalidArgument' : encryption.kind === 'managed' ? 'none' : 'NotImplemented',
      );
      expect(await refusal(asking, only('managed', 'kms', 'customer'))).toBe(wrong ? 'InvalidArgument' : 'none');
    }
  });
});

test('a copy’s source is judged on its own', async () => {
  for (const encryption of FORMS) {
    for (const asking of [
      { ...copy, source: { ...source, encryption } },
      { kind: 'UploadPartCopy', ...part, source: { ...source, encryption }, range: undefined } as const,
    ]) {
      expect(await refusal(asking, only('managed', 'kms'))).toBe(
        encryption.kind === 'customer' ? 'NotImplemented' : 'InvalidArgument',
      );
    }
  }
});

test('the customer keys of a request are its own and its source’s, whether or not they are any', async () => {
  const malformed = CustomerKey.malformed(clientError('BadDigest', 'another MD5'));
  const [own, ofSource] = [{ kind: 'customer', key: KEY } as const, { kind: 'customer', key: malformed } as const];
  for (const operation of OPERATIONS) {
    expect(customerKeysOf(operation)).toEqual([]);
    expect(customerKeysOf({ ...operation, encryption: own } as Operation)).toEqual([KEY]);
    // That it is none is told only to who may bring a key.
    expect(await refusal({ ...operation, encryption: ofSource } as Operation, only('customer'))).toBe('none');
  }
  expect(customerKeysOf({ ...copy, encryption: own, source: { ...source, encryption: ofSource } })).toEqual([
    KEY,
    malformed,
  ]);
  expect(customerKeysOf({ ...copy, source: { ...source, encryption: ofSource } })).toEqual([malformed]);
  expect(() => malformed.bytes).toThrow('another MD5');
  expect(() => malformed.check()).toThrow('another MD5');
});

test('a customer key tells nothing, however it is printed', async () => {
  const { inspect } = await import('node:util');
  const asked: AskedEncryption = { kind: 'customer', key: KEY };
  const printed = [JSON.stringify(asked), inspect(asked, { showHidden: true }), `${KEY}`, String(Object.values(KEY))];
  for (const text of printed) expect(text).not.toMatch(/5a|90, 90|Wlpa|a5|165/i);
});
