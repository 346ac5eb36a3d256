import { describe, expect, it } from 'vitest';
import { openEnvelope } from '../../../src/envelope/envelope.ts';
import { readFooterEnvelope } from '../../../src/envelope/footer.ts';
import type { AskedEncryption } from '../../../src/operations/encryption.ts';
import type { NamedPart } from '../../../src/operations/operation.ts';
import { uploadPartCopy } from '../../../src/pipeline/copy/copy-part.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { abortUpload } from '../../../src/pipeline/upload/abort.ts';
import { completeUpload } from '../../../src/pipeline/upload/complete.ts';
import { listParts } from '../../../src/pipeline/upload/list.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { stateIdOf } from '../../../src/pipeline/upload/state.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  type InProcess,
  inProcess,
  isObject,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';
import { PART, type StartedUpload, startUpload } from '../upload/upload-stand.ts';
import { asking, KEYS, toldOf } from './stand.ts';

type Asked = AskedEncryption | undefined;

const begun = (stand: InProcess, key: string, asked: () => Asked) =>
  startUpload(stand, key, { context: () => asking(stand, asked()) });

function sendPart(stand: InProcess, { named }: StartedUpload, partNumber: number, bytes: Buffer, asked: Asked) {
  return uploadPart({ kind: 'UploadPart', ...named, partNumber }, verifiedBody(bytes), asking(stand, asked));
}

function copyPart(stand: InProcess, { named }: StartedUpload, from: string, asked: { whole?: Asked; source?: Asked }) {
  const source = { ref: { bucket: BUCKET, key: from }, conditions: {}, encryption: asked.source };
  const operation = { kind: 'UploadPartCopy', ...named, partNumber: 2, source, range: undefined } as const;
  const keys = asking(stand, asked.whole);
  return uploadPartCopy(operation, { ...stand.at(BUCKET), keys: keys.keys });
}

function complete(stand: InProcess, { named }: StartedUpload, parts: readonly NamedPart[], asked: Asked) {
  const rest = { smallestPartBytes: PART, checksum: undefined, composite: undefined, plaintextBytes: undefined };
  const operation = { kind: 'CompleteMultipartUpload', ...named, parts, ...rest, conditions: {} } as const;
  return completeUpload(operation, asking(stand, asked));
}

const listed = async (stand: InProcess, { named }: StartedUpload, asked: Asked) =>
  (
    await listParts(
      { kind: 'ListParts', ...named, partNumberMarker: 0, maxParts: 1000, urlEncoded: false },
      asking(stand, asked),
    )
  ).parts.map(({ partNumber, plaintextBytes }) => [partNumber, plaintextBytes]);

const stateOf = async (stand: InProcess, { named }: StartedUpload) =>
  stand.tools.uploads.read(stateIdOf(named, stand.context()));

describe('an upload under a customer’s key', () => {
  it('takes parts with its key alone, and stays usable; the rest needs none', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const [first, small] = [payload(PART, 1), payload(1000, 2)];
    for (const bytes of [first, small]) {
      expect(await toldOf(sendPart(stand, upload, 1, bytes, undefined))).toBe('400 InvalidRequest');
      expect(await toldOf(sendPart(stand, upload, 1, bytes, KEYS.two()))).toBe('400 InvalidRequest');
    }
    const key = KEYS.one();
    const sent = await sendPart(stand, upload, 1, first, key);
    expect(sent.encryption).toEqual({ kind: 'customer', keyMd5: key.key.md5 });
    const parts = [{ partNumber: 1, etag: sent.etag, checksum: undefined }, await upload.send(2, small)];
    for (const asked of [undefined, KEYS.one()]) {
      expect(await listed(stand, upload, asked)).toEqual([
        [1, PART],
        [2, 1000],
      ]);
    }
    expect(await toldOf(listed(stand, upload, KEYS.two()))).toBe('400 InvalidRequest');
    expect(await toldOf(complete(stand, upload, parts, KEYS.two()))).toBe('400 InvalidRequest');
    expect(await toldOf(complete(stand, upload, parts, undefined))).toBe('fine');
    expect(await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())))).toEqual(Buffer.concat([first, small]));
    expect(await toldOf(getObject(getOf('k'), asking(stand, KEYS.two())))).toBe('403 AccessDenied');
    expect(await toldOf(getObject(getOf('k'), asking(stand, undefined)))).toBe('400 InvalidRequest');
  });

  it('goes on where the tenant’s key was rotated meanwhile', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const parts = [await upload.send(1, payload(10, 1))];
    await stand.keyRings.rotate(stand.context().tenant.ringId);
    const { etag } = await complete(stand, upload, parts, undefined);
    expect(await complete(stand, upload, parts, undefined)).toMatchObject({ etag });
    expect(await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())))).toEqual(payload(10, 1));
  });

  it('is completed with its key, too', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const parts = [await upload.send(1, payload(10, 1))];
    expect(await toldOf(complete(stand, upload, parts, KEYS.one()))).toBe('fine');
    expect(await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())))).toEqual(payload(10, 1));
  });

  it('gives a part that is sent again another ETag, and the one before is none any more', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const bytes = payload(PART, 1);
    const [first, again] = [await upload.send(1, bytes), await upload.send(1, bytes)];
    expect(await toldOf(complete(stand, upload, [first], undefined))).toBe('400 InvalidPart');
    expect(await toldOf(complete(stand, upload, [again], undefined))).toBe('fine');
    expect(await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())))).toEqual(bytes);
  });

  it('takes copied parts with both keys, each for its own', async () => {
    const stand = await inProcess();
    const [managed, keyed] = [payload(70_000, 3), payload(80_000, 4)];
    await putObject(putOf('managed'), verifiedBody(managed), asking(stand, undefined));
    await putObject(putOf('two'), verifiedBody(keyed), asking(stand, KEYS.two()));
    const upload = await begun(stand, 'k', KEYS.one);
    const first = await upload.send(1, payload(PART, 1));
    const refused: readonly [string, { whole?: Asked; source?: Asked }, string][] = [
      ['managed', {}, '400 InvalidRequest'],
      ['managed', { whole: KEYS.two() }, '400 InvalidRequest'],
      ['managed', { whole: KEYS.one(), source: KEYS.two() }, '400 InvalidRequest'],
      ['two', { whole: KEYS.one() }, '400 InvalidRequest'],
      ['two', { whole: KEYS.one(), source: KEYS.one() }, '403 AccessDenied'],
    ];
    for (const [from, asked, told] of refused) expect(await toldOf(copyPart(stand, upload, from, asked))).toBe(told);
    for (const [from, bytes, source] of [
      ['managed', managed, undefined],
      ['two', keyed, KEYS.two()],
    ] as const) {
      const copied = await copyPart(stand, upload, from, { whole: KEYS.one(), source });
      expect(copied.encryption?.kind).toBe('customer');
      const parts = [first, { partNumber: 2, etag: copied.etag, checksum: undefined }];
      if (source === undefined) continue;
      await complete(stand, upload, parts, undefined);
      const whole = await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())));
      expect(whole).toEqual(Buffer.concat([payload(PART, 1), bytes]));
    }
  });

  it('is aborted without its key, and leaves nothing', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    await upload.send(1, payload(10, 1));
    await abortUpload({ kind: 'AbortMultipartUpload', ...upload.named }, asking(stand, undefined));
    expect(await stateOf(stand, upload)).toBeUndefined();
    expect(await refusalOf(sendPart(stand, upload, 1, payload(10, 1), KEYS.one()))).toBe('NoSuchUpload');
  });
});

describe('an upload without a customer’s key', () => {
  it('takes none, and stays usable', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', () => undefined);
    expect(await toldOf(sendPart(stand, upload, 1, payload(10, 1), KEYS.one()))).toBe('400 InvalidRequest');
    const parts = [await upload.send(1, payload(10, 1))];
    expect(await toldOf(listed(stand, upload, KEYS.one()))).toBe('400 InvalidRequest');
    expect(await toldOf(complete(stand, upload, parts, KEYS.one()))).toBe('400 InvalidRequest');
    expect(await toldOf(complete(stand, upload, parts, undefined))).toBe('fine');
    expect(await bodyOf(await getObject(getOf('k'), asking(stand, undefined)))).toEqual(payload(10, 1));
  });
});

describe('the state', () => {
  it('holds neither key nor envelope in clear while the upload is open, and nothing that opens it afterwards', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(10, 2))];
    const open = Buffer.concat((await stateOf(stand, upload)) ?? []);
    await complete(stand, upload, parts, undefined);
    const entries = (await stateOf(stand, upload)) ?? [];
    const completed = Buffer.concat(entries);
    const { bytes } = await stand.stored.read(BUCKET, 'k');
    const envelope = readFooterEnvelope(bytes);
    const key = KEYS.one().key;
    for (const state of [open, completed]) {
      // Against any of these a guess at the key could be tried.
      expect(state.includes(envelope.subarray(80))).toBe(false);
      expect(state.includes(envelope.subarray(32, 48))).toBe(false);
      expect(state.includes(key.bytes)).toBe(false);
      expect(state.includes(key.md5)).toBe(false);
    }
    const commit = envelope.subarray(48, 80);
    expect(open.includes(commit)).toBe(true); // the envelope under the tenant's key has it too
    expect(completed.includes(commit)).toBe(false);
    expect(entries.map(({ length }) => length)).toEqual([expect.any(Number), 2 + 29 + 36]);
    // The copy of the envelope in the footer is under the customer's key, and so is not the tenant's to open.
    const { keyRings } = stand;
    const tenant = stand.context().tenant;
    const kek = await keyRings.current(tenant.ringId);
    expect(() => openEnvelope(envelope, { kek: kek.key, tenant: tenant.name })).toThrow();
  });

  it('answers a Complete that is repeated, and no other', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(10, 2))];
    const { etag } = await complete(stand, upload, parts, undefined);
    expect(await complete(stand, upload, parts, undefined)).toMatchObject({ etag });
    expect(await complete(stand, upload, parts, KEYS.one())).toMatchObject({ etag });
    expect(await refusalOf(complete(stand, upload, parts.slice(0, 1), undefined))).toBe('NoSuchUpload');
    expect(await refusalOf(listed(stand, upload, undefined))).toBe('NoSuchUpload');
    expect(await refusalOf(sendPart(stand, upload, 3, payload(10, 1), KEYS.one()))).toBe('NoSuchUpload');
    for (const asked of [undefined, KEYS.one(), KEYS.two()]) {
      await putObject(putOf('k'), verifiedBody(payload(10, 9)), asking(stand, asked));
      expect(await refusalOf(complete(stand, upload, parts, undefined))).toBe('NoSuchUpload');
    }
  });

  it('finds the object of a Complete whose answer was lost', async () => {
    const stand = await inProcess();
    const upload = await begun(stand, 'k', KEYS.one);
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(10, 2))];
    stand.faults.plan(
      { method: 'POST', where: isObject('k', `?uploadId=${upload.named.uploadId}`) },
      { kind: 'drop', what: 'answer' },
    );
    await complete(stand, upload, parts, undefined).catch(() => undefined);
    expect(stand.faults.left).toBe(0);
    expect(await toldOf(complete(stand, upload, parts, undefined))).toBe('fine');
    expect((await bodyOf(await getObject(getOf('k'), asking(stand, KEYS.one())))).length).toBe(PART + 10);
  });
});
