import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { combinedCrc } from '../../../src/checksums/crc-combination.ts';
import { readPartList } from '../../../src/dialects/s3/front/requests/complete-upload.ts';
import { openEnvelope, readEnvelopeHead } from '../../../src/envelope/envelope.ts';
import { openFooter } from '../../../src/envelope/footer.ts';
import { sealedBytes } from '../../../src/envelope/sizes.ts';
import type { ObjectRef } from '../../../src/operations/object.ts';
import { findUpload, stateIdOf } from '../../../src/pipeline/upload/state.ts';
import { ProvenUpload } from '../../../src/store/proven-upload.ts';
import type { Store } from '../../../src/store/store.ts';
import { openRedisStates } from '../../../src/uploads/redis-states.ts';
import { s3Back } from '../../support/plain-back.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { inProcess } from '../in-process.ts';
import { startUpload } from './upload-stand.ts';

const PARTS = 9_999;
const PART_BYTES = 8 * 1024 * 1024;

/**
 * 80 GB would have to lie in a real store: this one says yes to the last two requests, and everything else is real. It
 * prints how long the gateway took (bench/RESULTS.md).
 */
it(`Complete of ${PARTS} parts lists each of them`, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const uploads = await openRedisStates({ kind: 'redis', url: redis.url });
  onTestFinished(() => uploads.close());
  const stand = await inProcess();
  let footer: Buffer | undefined;
  const store = {
    limits: stand.tools.store.limits,
    uploads: {
      create: async (ref: ObjectRef) => ProvenUpload.created(ref, randomBytes(8).toString('hex')),
      putPart: async (_: ProvenUpload, part: Parameters<Store['uploads']['putPart']>[1]) => {
        footer = part.body as Buffer;
        return { partNumber: part.partNumber, etag: 'f'.repeat(32) };
      },
      complete: async (
        { ref, uploadId }: ProvenUpload,
        { parts, conditions }: Parameters<Store['uploads']['complete']>[1],
      ) => {
        const { body } = s3Back.calls.completeUpload.render({ ref, uploadId, parts, conditions });
        expect((body as Buffer).length).toBeGreaterThan(PARTS * 80);
        return { etag: `${'f'.repeat(32)}-${parts.length}`, versionId: undefined };
      },
    },
  } as unknown as Store;
  const context = () => ({ ...stand.context(), uploads, store });
  const upload = await startUpload(stand, 'huge', { context, checksum: { algorithm: 'CRC32', composite: false } });
  const id = stateIdOf(upload.named, context());
  const state = await findUpload(upload.named, context());
  const sums: { value: Buffer; bytes: number }[] = [];
  const etags: string[] = [];
  for (let at = 0; at < PARTS; at += 999) {
    const entries = Array.from({ length: Math.min(999, PARTS - at) }, (_, offset) => {
      const value = randomBytes(4);
      const etag = randomBytes(16).toString('hex');
      sums.push({ value, bytes: PART_BYTES });
      etags.push(etag);
      return (state as NonNullable<typeof state>).records.sealPart({
        partNumber: at + offset + 1,
        staged: false,
        plaintextBytes: PART_BYTES,
        partSalt: randomBytes(16),
        storedAt: new Date(),
        md5: undefined,
        checksum: { algorithm: 'CRC32', value },
        etag,
      });
    });
    await Promise.all(entries.map((entry) => uploads.append(id, entry, 60)));
  }
  const document = `<CompleteMultipartUpload>${etags
    .map((etag, at) => {
      const crc = sums[at]?.value.toString('base64');
      return `<Part><ETag>"${etag}-0"</ETag><ChecksumCRC32>${crc}</ChecksumCRC32><PartNumber>${at + 1}</PartNumber></Part>`;
    })
    .join('')}</CompleteMultipartUpload>`;
  const started = performance.now();
  const parts = readPartList(Buffer.from(document));
  const completed = await upload.complete(parts);
  const seconds = (performance.now() - started) / 1000;
  console.log(`Complete of ${PARTS} parts: ${(seconds * 1000).toFixed(0)} ms of the gateway's time.`);
  expect(completed.checksum?.value).toEqual(await combinedCrc('CRC32', sums));
  const { header } = (state as NonNullable<typeof state>).writer;
  const { keyRingId, kekVersion, oid, quantum } = readEnvelopeHead(header);
  const kek = await context().keys.forExisting({ ringId: keyRingId, version: kekVersion });
  const { keys } = openEnvelope(header, { kek: kek.key, tenant: context().tenant.name });
  const storedBytes = sealedBytes(PARTS * PART_BYTES, quantum);
  const { manifest } = openFooter(footer as Buffer, { keys, oid, storedBytes, quantum });
  expect(manifest.parts).toHaveLength(PARTS);
});
