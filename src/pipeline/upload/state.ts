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

/** A multipart upload that the gateway keeps the state of, opened. */
export interface UploadUnderWay {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** The same upload for the store, which acts on no other value. */
  readonly proven: ProvenUpload;
  /** stateId(). */
  readonly id: string;
  /** Makes the upload's object, as the format that it was begun in. */
  readonly writer: UploadWriter;
  readonly header: UploadHeader;
  /** The header as it is stored. */
  readonly headerEntry: Buffer;
  readonly records: UploadRecords;
}

/** All that is known of an upload. */
export interface ReadUpload extends UploadUnderWay {
  /** In the order in which they came; a part that was sent again is there again. */
  readonly parts: readonly PartRecord[];
  readonly completed: CompletedRecord | undefined;
}

/** Measured: what was read of an entry, and the record it was opened to. */
const OPENED_ENTRY_BYTES = 1600;

/** So many take some milliseconds; then other requests have their turn. */
const FAIR_ENTRIES = 500;

type Named = { readonly ref: ObjectRef; readonly uploadId: string };

export function stateIdOf({ ref, uploadId }: Named, { tenant }: OperationContext): string {
  return stateId({ tenant: tenant.name, bucket: ref.bucket, key: ref.key, uploadId });
}

/**
 * The upload, or undefined when the gateway has no state of it: it is over, it never was, it belongs to somebody else,
 * or its parts are the store's own.
 * @throws GatewayError KeyStoreUnavailable, KeyUnavailable, ObjectCorrupted (the state was altered)
 */
export async function findUpload(named: Named, context: OperationContext): Promise<UploadUnderWay | undefined> {
  const id = stateIdOf(named, context);
  const entry = await context.uploads.header(id);
  if (entry === undefined || isCompletedMark(entry)) return undefined;
  return openUpload(named, { id, entry }, context);
}

/**
 * The same with all its parts, and one that was completed too. Tens of thousands of them may be opened for as long as
 * `use` takes, so they are reserved for.
 * @throws GatewayError as findUpload, SlowDown, and what `use` throws
 */
export async function withUpload<T>(
  named: Named,
  context: OperationContext,
  use: (upload: ReadUpload | undefined) => Promise<T>,
): Promise<T> {
  const { uploads, budget } = context;
  const entries = await uploads.mostEntries(stateIdOf(named, context));
  // Whatever the limit is, an upload can be completed while little else goes on.
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

export function noSuchUpload({ uploadId }: Named, { uploadKeepSeconds }: OperationContext): GatewayError {
  const days = Math.round((uploadKeepSeconds / 86_400) * 10) / 10;
  return clientError(
    'NoSuchUpload',
    'The upload does not exist. It was completed or aborted, it never was, nothing was added to it for ' +
      `${days} days, or the gateway’s key store lost its state. If it was not completed, begin it again.`,
    { details: { UploadId: uploadId } },
  );
}
