import { expect, it } from 'vitest';
import { CARRIED_ENTRY, isKeptEntry } from '../../../src/envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../../src/envelope/claims.ts';
import { ENVELOPE_ENTRY, encodeEnvelope, sealEnvelope } from '../../../src/envelope/envelope.ts';
import { SealedObject } from '../../../src/formats/sx1/sealed-object.ts';
import type { ContentHeaders, MetadataEntry } from '../../../src/operations/object.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { lookAtMetadata } from '../../../src/pipeline/copy/repair-metadata.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { payload } from '../../support/payload.ts';
import { BUCKET, bodyOf, copyOf, getOf, type InProcess, inProcess, putOf, verifiedBody } from '../in-process.ts';

/** Gateways before the carried entry put every name and value in clear (FORMAT.md §3.2): what they wrote stays readable. */

const CONTENT: ContentHeaders = { contentType: 'text/plain; x="\xfc"', expires: 'Thu, 01 Jan 1970 00:00:01 GMT' };
const USER: readonly MetadataEntry[] = [
  ['bytes', 'gr\xfcn'],
  ['word', '=?UTF-8?Q?=C3=A4?='],
  ['with_underscore', 'a  b'],
  ['empty', ''],
  ['kept', 'as it is'],
];
const BODY = payload(1000);
const ref = { bucket: BUCKET, key: 'older' };

async function putAsBefore(here: InProcess): Promise<void> {
  const { keys: keySource, store, tenant } = here.context();
  await putObject(putOf('older'), verifiedBody(BODY), here.context());
  const { source } = await lookAtMetadata(ref, here.context());
  const object: unknown = source.object;
  if (!(object instanceof SealedObject)) throw new Error('It is not sealed.');
  const { opened, stored } = object;
  const { keys, dek } = opened;
  const kek = await keySource.forNew();
  const envelope = sealEnvelope({
    head: { ...opened.head, carriesMetadata: false },
    keys,
    dek,
    fields: { ...opened.fields, metadataTag: keys.metadataTag(canonicalMetadata({ content: CONTENT, user: USER })) },
    kek: kek.key,
    tenant: tenant.name,
    envelopeSalt: payload(16, 2),
  });
  expect(envelope[2]).toBe(0b110);
  // The backend's dialect writes RFC 2047 words, as it did then.
  const user = [...USER, [ENVELOPE_ENTRY, encodeEnvelope(envelope)] as const];
  const metadata = { content: CONTENT, user };
  const copy = { ref, source: { ref, etag: stored.etag }, metadata, tags: 'copy' } as const;
  await store.copy(copy, new AbortController().signal);
}

const byName = (user: readonly MetadataEntry[]) => [...user].sort(([one], [other]) => (one < other ? -1 : 1));

async function read(here: InProcess, key: string) {
  const content = await getObject(getOf(key), here.context());
  const { metadata } = content.facts;
  return { body: await bodyOf(content), content: metadata.content, user: byName(metadata.user) };
}

it('an older object is read as it was written, and copied as it would be written now', async () => {
  const here = await inProcess();
  await putAsBefore(here);
  const expected = { body: BODY, content: CONTENT, user: byName(USER) };
  expect(await read(here, 'older')).toEqual(expected);
  expect((await lookAtMetadata(ref, here.context())).state).toBe('sound');

  await copyObject(copyOf(`${BUCKET}/older`, 'newer'), here.context());
  expect(await read(here, 'newer')).toEqual(expected);
  const signal = new AbortController().signal;
  const stored = await here.tools.store.head({ ref: { ...ref, key: 'newer' }, conditions: {} }, signal);
  const names = stored.metadata.user.map(([name]) => name);
  expect(names.filter((name) => name.startsWith('sx1')).sort()).toEqual([ENVELOPE_ENTRY, CARRIED_ENTRY]);
  expect(stored.metadata.user.filter(([name]) => !name.startsWith('sx1')).every(isKeptEntry)).toBe(true);
  expect(stored.metadata.content).toEqual({ contentType: 'binary/octet-stream', expires: CONTENT.expires });
});
