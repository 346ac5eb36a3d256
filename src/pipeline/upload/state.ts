import { setImmediate } from 'node:timers/promises';
import { clientError, type GatewayError } from '../../errors.ts';
import type { UploadWriter } from '../../formats/format.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { ProvenUpload } from '../../store/proven-upload.ts';
import { stateId } from '../../uploads/state-id.ts';
import {
  type CompletedRecord,
  formatHeader,
  isCompletedMark,
  type PartRecord,
  type UploadHeader,
  UploadRecords,
} from '../../uploads/upload-record.ts';
import type { OperationContext } from '../context.ts';

/** A multipart upload whose state the gateway keeps. The state's header was opened. */
export interface UploadUnderWay {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** What names the upload to the store: it acts only on uploads that are known to exist. */
  readonly proven: ProvenUpload;
  /** The name under which the state is stored (`stateId`). */
  readonly id: string;
  /** Seals the parts and the footer, in the format in which the upload was begun. */
  readonly writer: UploadWriter;
  readonly header: UploadHeader;
  /** The sealed header, as it is stored. */
  readonly headerEntry: Buffer;
  readonly records: UploadRecords;
}

/** A multipart upload whose state was read as a whole. */
export interface ReadUpload extends UploadUnderWay {
  /** The attempts at parts, in the order in which they arrived. A part that was sent twice has two records. */
  readonly parts: readonly PartRecord[];
  /** Set where the upload is completed. */
  readonly completed: CompletedRecord | undefined;
}

/** The memory that an entry of a state takes, as it is stored and as it is opened. This was measured. */
const OPENED_ENTRY_BYTES = 1600;

/** After so many entries, which take some milliseconds to open, other requests have their turn. */
const FAIR_ENTRIES = 500;

type Named = { readonly ref: ObjectRef; readonly uploadId: string };

/** The name under which the state of an upload is stored. */
export function stateIdOf({ ref, uploadId }: Named, { tenant }: OperationContext): string {
  return stateId({ tenant: tenant.name, bucket: ref.bucket, key: ref.key, uploadId });
}

/**
 * Finds an upload that is under way. undefined where the gateway has no state of it: it is over, never existed, belongs
 * to another tenant, or its bucket is not sealed.
 * @throws GatewayError KeyStoreUnavailable, KeyUnavailable, ObjectCorrupted where the state was altered
 */
export async function findUpload(named: Named, context: OperationContext): Promise<UploadUnderWay | undefined> {
  const id = stateIdOf(named, context);
  const entry = await context.uploads.header(id);
  if (entry === undefined || isCompletedMark(entry)) return undefined;
  return openUpload(named, { id, entry }, context);
}

/**
 * Reads an upload with all its parts, whether it is under way or completed, and hands it to `use`. There may be tens of
 * thousands of part records, so memory is reserved for them until `use` has ended.
 * @throws GatewayError SlowDown, what `findUpload` throws, and what `use` throws
 */
export async function withUpload<T>(
  named: Named,
  context: OperationContext,
  use: (upload: ReadUpload | undefined) => Promise<T>,
): Promise<T> {
  const { uploads, budget } = context;
  const entries = await uploads.mostEntries(stateIdOf(named, context));
  // However small the budget is, an upload can be completed at a time when little else is going on.
  const release = budget.reserve(Math.min(entries * OPENED_ENTRY_BYTES, Math.floor(budget.limitBytes / 2)));
  try {
    return await use(await readUpload(named, context));
  } finally {
    release();
  }
}

async function readUpload(named: Named, context: OperationContext): Promise<ReadUpload | undefined> {
  const id = stateIdOf(named, context);
  const read = (await context.uploads.read(id)) ?? [];
  const header = read.findIndex((each) => !isCompletedMark(each));
  const entry = read[header];
  if (entry === undefined) return undefined;
  const rest = read.filter((_, at) => at !== header);
  const upload = await openUpload(named, { id, entry }, context);
  const parts: PartRecord[] = [];
  let completed: CompletedRecord | undefined;
  for (const [at, each] of rest.entries()) {
    if (at % FAIR_ENTRIES === FAIR_ENTRIES - 1) await setImmediate();
    const opened = upload.records.open(each);
    if ('part' in opened) parts.push(opened.part);
    else completed = opened.completed;
  }
  return { ...upload, parts, completed };
}

async function openUpload(
  { ref, uploadId }: Named,
  { id, entry }: { readonly id: string; readonly entry: Buffer },
  context: OperationContext,
): Promise<UploadUnderWay> {
  const writer = await context.formats.openUpload(formatHeader(entry), ref, context);
  const records = new UploadRecords({ id, keys: writer, randomBytes: context.randomBytes });
  const header = records.openHeader(entry);
  const proven = ProvenUpload.ofState(ref, uploadId);
  return { ref, uploadId, proven, id, writer, header, headerEntry: entry, records };
}

/**
 * What is kept of an upload that was completed: the mark that says so, and a header by which the mark can be opened.
 * The header of an upload under a customer's key is another one then, so that nothing opens the object but that key.
 */
export function endedEntries(
  { id, writer, header, headerEntry, records }: UploadUnderWay,
  completed: CompletedRecord,
  randomBytes: (bytes: number) => Buffer,
): readonly [mark: Buffer, header: Buffer] {
  const ended = writer.ended?.();
  if (ended === undefined) return [records.sealCompleted(completed), headerEntry];
  const after = new UploadRecords({ id, keys: ended, randomBytes });
  return [after.sealCompleted(completed), after.sealHeader(ended.header, header)];
}

/** Makes the error NoSuchUpload. */
export function noSuchUpload({ uploadId }: Named, { uploadKeepSeconds }: OperationContext): GatewayError {
  const days = Math.round((uploadKeepSeconds / 86_400) * 10) / 10;
  return clientError(
    'NoSuchUpload',
    'The upload does not exist. It was completed or aborted, it never was, nothing was added to it for ' +
      `${days} days, or the gateway’s key store lost its state. If it was not completed, begin it again.`,
    { details: { UploadId: uploadId } },
  );
}
