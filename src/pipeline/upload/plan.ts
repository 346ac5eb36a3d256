import { clientError, type GatewayError } from '../../errors.ts';
import type { UploadFormat } from '../../formats/format.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';

/**
 * The size of the backend parts that staged parts are put together to. It is large enough for few requests, and small
 * enough to hold a few of them in memory.
 */
const COALESCED_BYTES = 16 * 1024 * 1024;

/** How large parts are when they are stored. */
export interface PartSizes extends Pick<UploadFormat, 'storedPartBytes' | 'endPartNumber'> {
  /** The smallest part in bytes, the last one excepted, that the backend takes. */
  readonly smallestBytes: number;
}

/** A part of the backend's upload: `held` if it is there already, `sent` if it is to be made of staged parts. */
export type BackendPart =
  | { readonly kind: 'held'; readonly partNumber: number; readonly etag: string }
  | {
      readonly kind: 'sent';
      readonly partNumber: number;
      readonly staged: readonly PartRecord[];
      /** The size of the staged parts, without the footer that may follow. */
      readonly storedBytes: number;
    };

/**
 * Plans the parts of the backend's upload, in order (FORMAT.md §6). Staged parts that follow one another are put
 * together to backend parts that are large enough for the backend. The last backend part also takes the footer, and may
 * be of any size. Readers do not depend on where backend parts begin. Each has the number of the first part in it, so
 * the numbers rise.
 * @throws GatewayError EntityTooSmall where staged parts stand between large ones and are too small even together
 */
export function planBackendParts(parts: readonly PartRecord[], sizes: PartSizes): BackendPart[] {
  const plan: BackendPart[] = [];
  let run: PartRecord[] = [];
  for (const part of parts) {
    if (part.staged) {
      run.push(part);
      continue;
    }
    plan.push(...cutRun(run, sizes));
    run = [];
    plan.push({ kind: 'held', partNumber: part.partNumber, etag: part.etag });
  }
  plan.push(...cutTail(run, sizes));
  return plan;
}

/**
 * Cuts a run of staged parts before a large part into backend parts. If the last would be smaller than the backend
 * takes, its parts go to the one before it.
 */
function cutRun(run: readonly PartRecord[], sizes: PartSizes): BackendPart[] {
  const { smallestBytes } = sizes;
  if (run.length === 0) return [];
  const pieces = cut(run, sizes);
  const last = pieces.at(-1) as PartRecord[];
  if (bytesOf(last, sizes) < smallestBytes) {
    const before = pieces.at(-2);
    if (before === undefined) throw runTooSmall(run, smallestBytes);
    before.push(...last);
    pieces.pop();
  }
  return pieces.map((piece) => sent(piece, sizes));
}

/** Plans the end of the object: the staged parts there, and the footer. Without staged parts it is the footer alone. */
function cutTail(run: readonly PartRecord[], sizes: PartSizes): BackendPart[] {
  if (run.length === 0) return [{ kind: 'sent', partNumber: sizes.endPartNumber, staged: [], storedBytes: 0 }];
  return cut(run, sizes).map((piece) => sent(piece, sizes));
}

/** Cuts a run of staged parts into pieces of at least `COALESCED_BYTES`; the last may be smaller. */
function cut(run: readonly PartRecord[], { storedPartBytes }: PartSizes): PartRecord[][] {
  const pieces: PartRecord[][] = [];
  let bytes = COALESCED_BYTES;
  for (const part of run) {
    if (bytes >= COALESCED_BYTES) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push(part);
    bytes += storedPartBytes(part.plaintextBytes);
  }
  return pieces;
}

function sent(staged: readonly PartRecord[], sizes: PartSizes): BackendPart {
  const partNumber = (staged[0] as PartRecord).partNumber;
  return { kind: 'sent', partNumber, staged, storedBytes: bytesOf(staged, sizes) };
}

function bytesOf(parts: readonly PartRecord[], { storedPartBytes }: PartSizes): number {
  return parts.reduce((bytes, part) => bytes + storedPartBytes(part.plaintextBytes), 0);
}

function runTooSmall(run: readonly PartRecord[], smallestBytes: number): GatewayError {
  const [first, last] = [run[0]?.partNumber, run.at(-1)?.partNumber];
  const which = first === last ? `Part ${first} is` : `Parts ${first} to ${last} are together`;
  return clientError(
    'EntityTooSmall',
    `${which} smaller than the ${smallestBytes} bytes that the backend wants of what lies before larger parts.`,
  );
}
