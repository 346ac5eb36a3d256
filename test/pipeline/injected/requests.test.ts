import { describe, expect, it } from 'vitest';
import { checkPolicyAllows } from '../../../src/encryption/policy.ts';
import { storeKeyOf } from '../../../src/encryption/store-key.ts';
import { type AskedEncryption, CustomerKey } from '../../../src/operations/encryption.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { authorize } from '../../../src/pipeline/admission/authorize.ts';
import { putBucketEncryption } from '../../../src/pipeline/bucket/encryption.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { uploadPartCopy } from '../../../src/pipeline/copy/copy-part.ts';
import { objectAttributes } from '../../../src/pipeline/read/attributes.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { abortUpload } from '../../../src/pipeline/upload/abort.ts';
import { completeUpload } from '../../../src/pipeline/upload/complete.ts';
import { listParts } from '../../../src/pipeline/upload/list.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { deleteObject } from '../../../src/pipeline/write/delete.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { encryptingConnection } from '../../support/encrypting-connection.ts';
import { payload } from '../../support/payload.ts';
import { triedOf } from '../../support/quick.ts';
import { bodyOf, copyOf, getOf, headOf, inProcess, lacking, putOf, refusalOf, verifiedBody } from '../in-process.ts';
import { MIB, PART, startUpload } from '../upload/upload-stand.ts';

const FORMS = ['managed', 'kms', 'customer'] as const;
type Form = (typeof FORMS)[number];

const NOTHING = { content: {}, user: [] };

/** A gateway over a store that encrypts, and that says what it was asked. */
async function standOver(more: { readonly secure?: boolean; readonly heedsEncryption?: boolean } = {}) {
  let encrypting: ReturnType<typeof encryptingConnection> | undefined;
  const buckets = [
    ...FORMS.map((inject) => ({ pattern: `box-${inject}`, protection: 'inject', inject })),
    { pattern: 'box-mixed', protection: 'inject', inject: 'customer', mixed: true } as const,
    { pattern: 'box-none', protection: 'none' },
    { pattern: 'box-seal' },
  ];
  const here = await inProcess({
    buckets,
    findings: () => lacking({ heedsEncryption: more.heedsEncryption ?? true }).findings,
    through: (connection) => {
      encrypting = encryptingConnection(connection, more.secure);
      return encrypting.connection;
    },
  });
  const store = encrypting as NonNullable<typeof encrypting>;
  const ref = (bucket: string, key = 'k') => ({ bucket, key });
  const { tenant } = here.at('box-customer');
  return {
    here,
    store,
    tenant,
    ref,
    put: (bucket: string, key = 'k', bytes = payload(1000), asked?: AskedEncryption) =>
      putObject(putOf(key, { ref: ref(bucket, key) }), verifiedBody(bytes), here.at(bucket, asked)),
    read: async (bucket: string, key = 'k') =>
      bodyOf(await getObject(getOf(key, { ref: ref(bucket, key) }), here.at(bucket))),
    head: (bucket: string, key = 'k') => headObject(headOf(key, { ref: ref(bucket, key) }), here.at(bucket)),
    copy: (from: string, to: string, key = 'copy') =>
      copyObject(copyOf(`${from}/k`, key, { ref: ref(to, key) }), here.at(to)),
    /** Past the gateway. */
    putInClear: (bucket: string) =>
      here.tools.store.put(
        { ref: ref(bucket, 'clear'), metadata: NOTHING, conditions: {}, body: payload(10) },
        new AbortController().signal,
      ),
    putUnder: (bucket: string, key: CustomerKey) =>
      here.tools.store.put(
        {
          ref: ref(bucket, 'foreign'),
          metadata: NOTHING,
          conditions: {},
          body: payload(10),
          encryption: { kind: 'customer', key },
        },
        new AbortController().signal,
      ),
    keyOf: async (version: number, bucket: string) => {
      const { key } = await here.keyRings.kek(tenant.ringId, version);
      return storeKeyOf(key, { tenant: tenant.name, bucket });
    },
    rotate: () => here.keyRings.rotate(tenant.ringId),
  };
}

type Stand = Awaited<ReturnType<typeof standOver>>;

/** Every operation on an object, by the requests of which the store is asked. */
const OPERATIONS: Readonly<Record<string, (stand: Stand, bucket: string) => Promise<unknown>>> = {
  'PutObject, small': (stand, bucket) => stand.put(bucket),
  'PutObject, streamed': (stand, bucket) => stand.put(bucket, 'k', payload(MIB)),
  'PutObject of unknown length': ({ here, ref }, bucket) =>
    putObject(putOf('k', { ref: ref(bucket) }), verifiedBody(payload(9 * MIB), { declared: false }), here.at(bucket)),
  GetObject: (stand, bucket) => stand.read(bucket),
  'GetObject, range': async ({ here, ref }, bucket) => {
    const range = { kind: 'from', first: 1, last: 5 } as const;
    await bodyOf(await getObject(getOf('k', { ref: ref(bucket), range }), here.at(bucket)));
  },
  HeadObject: (stand, bucket) => stand.head(bucket),
  GetObjectAttributes: ({ here, ref }, bucket) =>
    objectAttributes(
      {
        kind: 'GetObjectAttributes',
        ref: ref(bucket),
        attributes: new Set(['size']),
        partNumberMarker: 0,
        maxParts: 10,
      },
      here.at(bucket),
    ),
  CopyObject: (stand, bucket) => stand.copy(bucket, bucket),
  'CopyObject, onto itself': (stand, bucket) => stand.copy(bucket, bucket, 'k'),
  'a multipart upload': async ({ here, ref }, bucket) => {
    const upload = await startUpload(here, 'm', { bucket, context: () => here.at(bucket) });
    const part = await upload.send(1, payload(PART));
    const { etag } = await uploadPartCopy(
      {
        kind: 'UploadPartCopy',
        ...upload.named,
        partNumber: 2,
        source: { ref: ref(bucket), conditions: {} },
        range: undefined,
      },
      here.at(bucket),
    );
    await listParts(
      { kind: 'ListParts', ...upload.named, maxParts: 10, partNumberMarker: 0, urlEncoded: false },
      here.at(bucket),
    );
    await upload.complete([part, { partNumber: 2, etag, checksum: undefined }]);
  },
  'a multipart upload, aborted': async ({ here }, bucket) => {
    const upload = await startUpload(here, 'm', { bucket, context: () => here.at(bucket) });
    await abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, here.at(bucket));
  },
  DeleteObject: ({ here, ref }, bucket) =>
    deleteObject({ kind: 'DeleteObject', ref: ref(bucket), conditions: {} }, here.at(bucket)),
};

/** What the store is asked, in the order of the requests: `new` asks for encryption, `key` brings one. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'PutObject, small': ['PutObject new'],
  'PutObject, streamed': ['PutObject new'],
  'PutObject of unknown length': [
    ...['CreateMultipartUpload new', 'UploadPart key', 'UploadPart key', 'CompleteMultipartUpload', 'HeadObject key'],
  ],
  GetObject: ['GetObject key'],
  'GetObject, range': ['GetObject key'],
  HeadObject: ['HeadObject key'],
  GetObjectAttributes: ['HeadObject key'],
  CopyObject: ['HeadObject key', 'CopyObject new from key', 'HeadObject key'],
  'CopyObject, onto itself': [
    ...['HeadObject key', 'GetObjectTagging', 'GetObject key', 'PutObject new', 'HeadObject key'],
  ],
  'a multipart upload': [
    ...['CreateMultipartUpload new', 'UploadPart key', 'HeadObject key', 'UploadPartCopy key from key', 'ListParts'],
    ...['CompleteMultipartUpload', 'HeadObject key'],
  ],
  'a multipart upload, aborted': ['CreateMultipartUpload new', 'AbortMultipartUpload'],
  DeleteObject: ['DeleteObject'],
};

const CUSTOMER_NAMES = ['-customer-algorithm', '-customer-key', '-customer-key-md5'];

/** The names of the headers that the store gets for a new object. */
const NEW_NAMES: Readonly<Record<Form, readonly string[]>> = { managed: [''], kms: [''], customer: CUSTOMER_NAMES };

describe.each(FORMS)('inject: %s, over a store that encrypts', (form) => {
  const bucket = `box-${form}`;

  it.each(triedOf(Object.keys(OPERATIONS), FORMS.indexOf(form)))('%s', async (name) => {
    const stand = await standOver();
    await stand.put(bucket);
    stand.store.asked();
    await OPERATIONS[name]?.(stand, bucket);
    const asked = stand.store.asked();
    const expected = EXPECTED[name]?.map((line) => {
      const [what = '', ...rest] = line.split(' ');
      const keyed = form === 'customer' ? CUSTOMER_NAMES : [];
      const own = rest[0] === 'new' ? NEW_NAMES[form] : rest[0] === 'key' ? keyed : [];
      return { what, own, source: line.includes('from key') ? keyed : [] };
    });
    const named = (from: object) => Object.keys(from).sort();
    expect(asked.map(({ what, own, source }) => ({ what, own: named(own), source: named(source) }))).toEqual(expected);
    if (form !== 'customer') return;
    const { bytes, md5 } = await stand.keyOf(1, bucket);
    for (const told of asked.flatMap(({ own, source }) => [own, source])) {
      if (named(told).length === 0) continue;
      expect(told).toEqual({
        '-customer-algorithm': 'AES256',
        '-customer-key': bytes.toString('base64'),
        '-customer-key-md5': md5.toString('base64'),
      });
    }
  });

  it('tells clients what holds, and no key of the gateway’s own', async () => {
    const stand = await standOver();
    const expected = form === 'kms' ? { kind: 'kms', keyId: 'aws/s3' } : { kind: 'managed' };
    const { here, ref } = stand;
    const answers: { readonly encryption?: unknown }[] = [await stand.put(bucket), await stand.copy(bucket, bucket)];
    answers.push((await stand.head(bucket)).facts);
    answers.push((await getObject(getOf('k', { ref: ref(bucket) }), here.at(bucket))).facts);
    const upload = await startUpload(here, 'm', { bucket, context: () => here.at(bucket) });
    answers.push(await upload.complete([await upload.send(1, payload(10))]));
    expect(answers.map(({ encryption }) => encryption)).toEqual(answers.map(() => expected));
  });

  it('an object that lies there in clear is refused and told, unless plaintext may be read', async () => {
    const stand = await standOver();
    await stand.putInClear(bucket);
    const context = stand.here.at(bucket);
    expect(await refusalOf(getObject(getOf('clear', { ref: stand.ref(bucket, 'clear') }), context))).toBe(
      'ObjectNotSealed',
    );
    expect(context.trace.unprotected).toBe(1);
    await stand.putInClear('box-mixed');
    const lenient = stand.here.at('box-mixed');
    const { facts } = await getObject(getOf('clear', { ref: stand.ref('box-mixed', 'clear') }), lenient);
    expect([facts.encryption, lenient.trace.unprotected]).toEqual([undefined, 1]);
  });

  it.each([
    ['nothing', undefined, 'none'],
    ['AES256', { kind: 'managed', algorithm: 'AES256' }, form === 'kms' ? 'AccessDenied' : 'none'],
    ['aws:kms', { kind: 'kms', keyId: undefined, context: undefined }, form === 'kms' ? 'none' : 'AccessDenied'],
    [
      'a customer key',
      { kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 1)) },
      'AccessDenied',
    ],
  ] as const)('a client that asks for %s', async (_what, asked, code) => {
    const { here, ref } = await standOver();
    const { policy, formats } = here.at(bucket);
    for (const kind of ['PutObject', 'CopyObject', 'CreateMultipartUpload', 'PostObject'] as const) {
      const operation = { kind, ref: ref(bucket) } as Operation;
      const checked = Promise.resolve().then(() => checkPolicyAllows(operation, asked, policy, formats.write));
      expect([kind, await refusalOf(checked)]).toEqual([kind, code]);
    }
    if (asked?.kind !== 'customer') return;
    for (const kind of ['UploadPart', 'CompleteMultipartUpload'] as const) {
      const operation = { kind, ref: ref(bucket) } as Operation;
      const checked = Promise.resolve().then(() => checkPolicyAllows(operation, asked, policy, formats.write));
      expect([kind, await refusalOf(checked)]).toEqual([kind, 'CustomerKeyUnneeded']);
    }
  });

  it('a client’s key is for objects that are sealed, and for no other', async () => {
    const { here, ref, put } = await standOver();
    const key = () => ({ kind: 'customer', key: new CustomerKey(Buffer.alloc(32, 1), Buffer.alloc(16, 1)) }) as const;
    const { policy, formats } = here.at(bucket);
    const read = async (name: string, encryption: AskedEncryption | undefined) => {
      const operation = { ...getOf(name, { ref: ref(bucket, name) }), encryption };
      checkPolicyAllows(operation, encryption, policy, formats.write);
      const head = { ...operation, kind: 'HeadObject' } as const;
      const told = await refusalOf(headObject(head, here.at(bucket, encryption)));
      expect(await refusalOf(getObject(operation, here.at(bucket, encryption)))).toBe(told);
      return told;
    };
    await put(bucket);
    expect(await read('k', key())).toBe('CustomerKeyUnneeded');
    const sealing = { ...here.under(bucket, { protection: 'seal' }), keys: here.at(bucket, key()).keys };
    await putObject(putOf('sealed', { ref: ref(bucket, 'sealed') }), verifiedBody(payload(1000)), sealing);
    expect(await read('sealed', undefined)).toBe('CustomerKeyNeeded');
    expect(await read('sealed', key())).toBe('none');
    const got = await getObject(getOf('sealed', { ref: ref(bucket, 'sealed') }), here.at(bucket, key()));
    expect(await bodyOf(got)).toEqual(payload(1000));
  });
});

it.each(['arn:aws:s3:::key/cards', 'alias/cards', ''])(
  '%j is no key of the store’s, and no bucket gets it as its default',
  async (keyId) => {
    const { here } = await standOver();
    const asked = { method: { form: 'kms', keyId }, bucketKey: undefined, customerKeys: undefined } as const;
    const setting = putBucketEncryption({ kind: 'PutBucketEncryption', bucket: 'box-kms', asked }, here.at('box-kms'));
    expect(await refusalOf(setting)).toBe('KmsKeyNotFound');
  },
);

describe('keys of a tenant that were rotated', () => {
  const bucket = 'box-customer';
  const versionsAsked = async (stand: Stand, what: string) => {
    const md5s = await Promise.all([1, 2, 3].map(async (version) => (await stand.keyOf(version, bucket)).md5));
    const texts = md5s.map((md5) => md5.toString('base64'));
    const asked = stand.store.asked().filter((each) => each.what === what);
    return asked.map(({ own }) => texts.indexOf(own['-customer-key-md5'] ?? '') + 1);
  };
  const rotated = async () => {
    const stand = await standOver();
    await stand.put(bucket, 'k', payload(1000));
    await stand.rotate();
    await stand.put(bucket, 'second', payload(2000));
    await stand.rotate();
    await stand.put(bucket, 'third', payload(3000));
    stand.store.asked();
    return { ...stand, afresh: await stand.here.anotherProcess({ emptyIndex: false }) };
  };

  it('are tried from the newest on, no oftener than there are, and the one that fits is remembered', async () => {
    const stand = await rotated();
    const context = () => authorize(bucket, stand.here.at(bucket), stand.afresh);
    const read = (key: string) => getObject(getOf(key, { ref: stand.ref(bucket, key) }), context()).then(bodyOf);
    expect(await read('k')).toEqual(payload(1000));
    expect(await versionsAsked(stand, 'GetObject')).toEqual([3, 2, 1]);
    expect(await read('k')).toEqual(payload(1000));
    expect(await versionsAsked(stand, 'GetObject')).toEqual([1]);
    expect(await read('third')).toEqual(payload(3000));
    expect(await versionsAsked(stand, 'GetObject')).toEqual([3]);
    const head = headObject(headOf('second', { ref: stand.ref(bucket, 'second') }), context());
    expect((await head).facts.plaintextBytes).toBe(2000);
    expect(await versionsAsked(stand, 'HeadObject')).toEqual([3, 2]);
  });

  it('are remembered by whoever wrote the object', async () => {
    const stand = await rotated();
    expect(await stand.read(bucket)).toEqual(payload(1000));
    expect(await versionsAsked(stand, 'GetObject')).toEqual([1]);
  });

  it('copies bring the source’s key and the newest for the copy', async () => {
    const stand = await rotated();
    await stand.copy(bucket, bucket);
    const copied = stand.store.asked().find(({ what }) => what === 'CopyObject');
    const md5 = async (version: number) => (await stand.keyOf(version, bucket)).md5.toString('base64');
    expect(copied?.source['-customer-key-md5']).toBe(await md5(1));
    expect(copied?.own['-customer-key-md5']).toBe(await md5(3));
  });

  it.each(['box-seal', 'box-none'])(
    'copies from %s, which is not given to the store, bring none for the source',
    async (from) => {
      const stand = await standOver();
      await stand.put(from);
      stand.store.asked();
      await stand.copy(from, bucket);
      const part = await startUpload(stand.here, 'm', { bucket, context: () => stand.here.at(bucket) });
      await uploadPartCopy(
        {
          ...{ kind: 'UploadPartCopy', ...part.named, partNumber: 1, range: undefined },
          source: { ref: stand.ref(from), conditions: {} },
        },
        stand.here.at(bucket),
      );
      const reads = stand.store.asked().filter(({ what }) => what === 'HeadObject' || what === 'GetObject');
      const ofCopy = (await stand.keyOf(1, bucket)).md5.toString('base64');
      expect(reads.filter(({ own }) => Object.keys(own).length === 0).length).toBeGreaterThan(2);
      // The others look at the copy itself.
      for (const { own } of reads) expect([undefined, ofCopy]).toContain(own['-customer-key-md5']);
      expect(await stand.read(bucket, 'copy')).toEqual(payload(1000));
    },
  );

  it('an upload keeps the one with which it began, in every process', async () => {
    const stand = await rotated();
    const upload = await startUpload(stand.here, 'm', { bucket, context: () => stand.here.at(bucket) });
    await stand.rotate();
    await stand.here.keyRings.kek(stand.tenant.ringId, 4);
    const first = await upload.send(1, payload(PART));
    expect(await versionsAsked(stand, 'UploadPart')).toEqual([3]);
    const elsewhere = () => authorize(bucket, stand.here.at(bucket), stand.afresh);
    const bytes = payload(100, 2);
    const operation = { kind: 'UploadPart', ...upload.named, partNumber: 2 } as const;
    const { etag } = await uploadPart(operation, verifiedBody(bytes), elsewhere());
    // The fourth was tried by a part that no store takes, then the third, and then the part itself was sent.
    expect(await versionsAsked(stand, 'UploadPart')).toEqual([0, 3, 3]);
    await upload.complete([first, { partNumber: 2, etag, checksum: undefined }]);
    expect(await stand.read(bucket, 'm')).toEqual(Buffer.concat([payload(PART), bytes]));
  });

  it('an object under a version that is gone is refused, and says what may be the reason', async () => {
    const stand = await rotated();
    const other = await standOver();
    const key = await other.keyOf(1, bucket);
    await stand.putUnder(bucket, key);
    const context = stand.here.at(bucket);
    const refused = getObject(getOf('foreign', { ref: stand.ref(bucket, 'foreign') }), context);
    await expect(refused).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('a key that the tenant does not have any more'),
    });
    expect(await versionsAsked(stand, 'GetObject')).toEqual([3, 2, 1]);
  });

  it('are not the same for two buckets, nor for two tenants', async () => {
    const stand = await standOver();
    const { key } = await stand.here.keyRings.kek(stand.tenant.ringId, 1);
    const places = [
      ['acme', 'a'],
      ['acme', 'b'],
      ['beta', 'a'],
      ['acmea', ''],
    ] as const;
    const keys = places.map(([tenant, bucket]) => storeKeyOf(key, { tenant, bucket }).bytes.toString('hex'));
    expect(new Set(keys).size).toBe(places.length);
  });
});

describe('a store that does not do what it is asked', () => {
  const written: Readonly<Record<string, (stand: Stand, bucket: string) => Promise<unknown>>> = {
    PutObject: (stand, bucket) => stand.put(bucket, 'new'),
    CopyObject: (stand, bucket) => stand.copy(bucket, bucket, 'new'),
    CompleteMultipartUpload: async ({ here }, bucket) => {
      const upload = await startUpload(here, 'new', { bucket, context: () => here.at(bucket) });
      return upload.complete([await upload.send(1, payload(PART))]);
    },
  };

  it.each(FORMS.flatMap((form) => Object.keys(written).map((what) => [form, what] as const)))(
    'and ignores it, %s: %s fails, and nothing stays',
    async (form, what) => {
      const bucket = `box-${form}`;
      const stand = await standOver();
      await stand.put(bucket);
      stand.store.habit = what === 'PutObject' ? 'ignores' : 'ignores copies';
      await expect(written[what]?.(stand, bucket)).rejects.toMatchObject({
        code: 'BackendError',
        source: 'backend',
        message: expect.stringContaining('without the encryption that it was asked for'),
      });
      expect(await stand.here.stored.keys(bucket)).toEqual(['k']);
      // It is not tried again at once, since what lies there would be lost.
      stand.store.asked();
      await expect(stand.put(bucket)).rejects.toMatchObject({ code: 'BackendError' });
      expect(stand.store.asked()).toEqual([]);
      stand.store.habit = 'encrypts';
      expect(await stand.read(bucket)).toEqual(payload(1000));
    },
  );

  it('and that was seen to ignore it when the gateway started: nothing is sent', async () => {
    const stand = await standOver({ heedsEncryption: false });
    stand.store.asked();
    for (const form of FORMS) expect(await refusalOf(stand.put(`box-${form}`))).toBe('BackendError');
    expect(stand.store.asked()).toEqual([]);
  });

  it('is counted', async () => {
    const stand = await standOver();
    stand.store.habit = 'ignores';
    const context = stand.here.at('box-managed');
    const put = putObject(putOf('k', { ref: stand.ref('box-managed') }), verifiedBody(payload(10)), context);
    expect(await refusalOf(put)).toBe('BackendError');
    expect(context.trace.unprotected).toBe(1);
  });

  it.each(['managed', 'kms'] as const)('and says so, %s: its word is passed on', async (form) => {
    const stand = await standOver();
    stand.store.habit = 'has none';
    await expect(stand.put(`box-${form}`)).rejects.toMatchObject({
      code: 'NotImplemented',
      message: expect.stringContaining(`(inject: ${form})`),
    });
  });

  it('and blocks keys', async () => {
    const stand = await standOver();
    stand.store.habit = 'blocks';
    expect(await refusalOf(stand.put('box-customer'))).toBe('AccessDenied');
  });

  it('without TLS gets no key', async () => {
    const stand = await standOver({ secure: false });
    const message = expect.stringContaining('must be reached over https');
    await expect(stand.put('box-customer')).rejects.toMatchObject({ code: 'NotImplemented', message });
    await stand.put('box-managed');
    await stand.putInClear('box-mixed');
    await getObject(getOf('clear', { ref: stand.ref('box-mixed', 'clear') }), stand.here.at('box-mixed'));
    for (const { own } of stand.store.asked()) expect(own).not.toHaveProperty('-customer-key');
  });
});

describe('a bucket whose policy was changed', () => {
  it('still has what was written before', async () => {
    const stand = await standOver();
    await stand.put('box-customer');
    const policies = [{ inject: 'managed' }, { inject: 'kms' }] as const;
    for (const policy of policies) {
      const at = stand.here.under('box-customer', { protection: 'inject', ...policy });
      const content = await getObject(getOf('k', { ref: stand.ref('box-customer') }), at);
      expect(await bodyOf(content)).toEqual(payload(1000));
    }
    await stand.put('box-managed');
    const at = stand.here.under('box-managed', { protection: 'inject', inject: 'customer' });
    expect(await bodyOf(await getObject(getOf('k', { ref: stand.ref('box-managed') }), at))).toEqual(payload(1000));
  });

  it('has an upload that was begun sealed completed sealed', async () => {
    const stand = await standOver();
    const bucket = 'box-seal';
    const upload = await startUpload(stand.here, 'k', { bucket, context: () => stand.here.at(bucket) });
    for (const inject of FORMS) {
      const context = () => stand.here.under(bucket, { protection: 'inject', inject });
      const body = verifiedBody(payload(PART));
      const operation = { kind: 'UploadPart', ...upload.named, partNumber: 1 } as const;
      await uploadPart(operation, body, context());
    }
    const context = () => stand.here.under(bucket, { protection: 'inject', inject: 'customer' });
    const body = verifiedBody(payload(PART));
    const { etag } = await uploadPart({ kind: 'UploadPart', ...upload.named, partNumber: 1 }, body, context());
    await completeUpload(
      {
        kind: 'CompleteMultipartUpload',
        ...upload.named,
        parts: [{ partNumber: 1, etag, checksum: undefined }],
        smallestPartBytes: PART,
        checksum: undefined,
        composite: undefined,
        plaintextBytes: undefined,
        conditions: {},
      },
      context(),
    );
    expect(await bodyOf(await getObject(getOf('k', { ref: stand.ref(bucket) }), context()))).toEqual(payload(PART));
    expect(await stand.read(bucket)).toEqual(payload(PART));
  });
});
