import { clientError, type GatewayError } from '../../errors.ts';
import type { UploadFormat } from '../../formats/format.ts';
import type { PartRecord } from '../../uploads/upload-record.ts';

/** Small parts are put together to backend parts of about this size: few requests, and a few of them at once. */
const COALESCED_BYTES = 16 * 1024 * 1024;

/** What parts weigh, in stored bytes. */
export interface PartSizes extends Pick<UploadFormat, 'storedPartBytes' | 'endPartNumber'> {
  /** The smallest that the backend takes of a part that is not the last. */
  readonly smallestBytes: number;
}

/** What a backend part is made of: one that lies there already, or staged parts that are yet to be sent. */
export type BackendPart =
  | { readonly kind: 'held'; readonly partNumber: number; readonly etag: string }
  | {
      readonly kind: 'sent';
      readonly partNumber: number;
      readonly staged: readonly PartRecord[];
      /** Of the staged parts; the footer comes on top. */
      readonly storedBytes: number;
    };

/**
 * How the parts lie in the backend's upload, in order (FORMAT.md §6). Runs of staged parts become backend parts that
 * are large enough for the backend; the last one takes the footer too and may be of any size. Where their boundaries
 * lie means nothing to a reader. A backend part has the number of its first part, so numbers rise.
 * @throws GatewayError EntityTooSmall for a run before the end that is too small even as a whole
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

/** Each piece at least as large as the backend wants: what is left over goes to the piece before it. */
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

/** The end of the object, footer included: the footer alone when no part is staged there. */
function cutTail(run: readonly PartRecord[], sizes: PartSizes): BackendPart[] {
  if (run.length === 0) return [{ kind: 'sent', partNumber: sizes.endPartNumber, staged: [], storedBytes: 0 }];
  return cut(run, sizes).map((piece) => sent(piece, sizes));
}

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
