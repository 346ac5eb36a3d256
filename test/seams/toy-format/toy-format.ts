import { createSecretKey, type KeyObject } from 'node:crypto';
import type { StoredObject } from '../../../src/dialects/store-exchange.ts';
import { type Proof, proven } from '../../../src/errors.ts';
import type { IdentifiedObject, ObjectFormat, UploadFormat, UploadWriter } from '../../../src/formats/format.ts';
import type { FormatDesk } from '../../../src/formats/format-desk.ts';
import type { NewObject, ObjectWriter, PieceWriter } from '../../../src/formats/object-writer.ts';
import { corrupted } from '../../../src/formats/refusals.ts';
import type { FormatRow } from '../../../src/formats/row.ts';
import type { ObjectMetadata, ObjectRef } from '../../../src/operations/object.ts';
import { pinned } from '../../../src/store/pin.ts';
import { collect } from '../../../src/wire/bodies/collect.ts';
import { endHeldBack } from '../../../src/wire/bodies/end-held-back.ts';
import type { ByteSource, OutgoingBody } from '../../../src/wire/message.ts';

/** The format's own entry of user metadata: the object's id, 16 bytes in hex. */
const MARK = 'toy';
/** An object ends in the MD5 of its plaintext, or zeros, so that its size is not the plaintext's. */
const END_BYTES = 16;
const VEILED = { kind: 'managed' } as const;
const veil = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x5a));

async function* veiled(source: ByteSource, end?: () => Buffer): AsyncGenerator<Buffer, void, void> {
  for await (const piece of source) yield veil(piece);
  if (end !== undefined) yield end();
}

async function* opened(source: ByteSource, bytes: number): AsyncGenerator<Buffer, void, void> {
  let left = bytes;
  for await (const piece of source) {
    yield veil(piece.subarray(0, left));
    left = Math.max(0, left - piece.length);
  }
  if (left > 0) throw corrupted('It ended early.');
}

class ToyWriter implements ObjectWriter, PieceWriter, UploadWriter {
  readonly format = uploads;
  readonly encryption = VEILED;
  readonly id: Buffer;
  readonly metadata: ObjectMetadata;
  readonly #bytes: number;

  constructor(id: Buffer, { metadata }: Pick<NewObject, 'metadata'>, bytes = 0) {
    this.id = id;
    this.metadata = { ...metadata, user: [...metadata.user, [MARK, id.toString('hex')]] };
    this.#bytes = bytes;
  }

  async whole(plaintext: ByteSource, proof: () => { readonly md5: Buffer | undefined }): Promise<Buffer> {
    return collect(
      veiled(plaintext, () => this.end(proof())),
      this.#bytes + END_BYTES,
      () => corrupted('too long'),
    );
  }

  stream(plaintext: ByteSource, proof: () => { readonly md5: Buffer | undefined }): OutgoingBody {
    const source = veiled(endHeldBack(plaintext, this.#bytes), () => this.end(proof()));
    return { bytes: this.#bytes + END_BYTES, source };
  }

  piece = (plaintext: Buffer): Buffer => veil(plaintext);
  part: UploadWriter['part'] = (plaintext, sent) => veiled(endHeldBack(plaintext, sent.plaintextBytes));
  end = ({ md5 }: { readonly md5: Buffer | undefined }): Buffer => veil(md5 ?? Buffer.alloc(END_BYTES));
  checked = (stored: ByteSource): ByteSource => stored;
  endBytes = (): number => END_BYTES;
  remember = (): void => undefined;
  made = async ({ id }: IdentifiedObject): Promise<boolean> => id?.equals(this.id) === true;
  stateKey = (): KeyObject => createSecretKey(Buffer.concat([this.id, this.id]));
  get header(): Buffer {
    return this.id;
  }
}

function toyObject(ref: ObjectRef, stored: StoredObject, id: Buffer, { store, signal }: FormatDesk): IdentifiedObject {
  const plaintextBytes = proven(stored.storedBytes - END_BYTES); // a toy believes its store
  const whole = { first: 0, last: plaintextBytes - 1 };
  const object: Omit<IdentifiedObject, keyof Proof> = {
    format: toyFormat,
    ref,
    stored,
    id,
    claimedBytes: plaintextBytes,
    provenBytes: plaintextBytes,
    encryption: VEILED,
    async details() {
      const get = { ref, range: { suffixBytes: END_BYTES }, conditions: { ifMatch: `"${stored.etag}"` } };
      const { body } = await pinned(store.getAside(get, signal));
      return this.detailsIn(await collect(body, END_BYTES, () => corrupted('more than was asked')));
    },
    detailsIn(tail) {
      const md5 = veil(tail.subarray(-END_BYTES));
      const known = md5.some((byte) => byte !== 0);
      return { plaintextBytes, md5: known ? md5 : undefined, checksum: undefined, parts: undefined };
    },
    part: async (part) => (part === 1 ? { range: whole, partsCount: undefined } : { range: undefined, partsCount: 1 }),
    locate({ first, last } = whole) {
      return { first, last, slackBytes: 0, open: (source) => opened(source, last - first + 1) };
    },
    openWhole: (bytes) => [veil(bytes.subarray(0, plaintextBytes))],
    relocated: async (_place, metadata) => new ToyWriter(id, { metadata }),
  };
  return proven(object);
}

const uploads: UploadFormat = {
  lastPartNumber: 9_999,
  endPartNumber: 10_000,
  storedPartBytes: (plaintextBytes) => plaintextBytes,
  largestPartPlaintext: (storedBytes) => storedBytes,
  isHeader: ({ length }) => length === 16,
  async begin(object, { randomBytes }) {
    const writer = new ToyWriter(randomBytes(16), object);
    return { metadata: writer.metadata, writer };
  },
  open: async (header) => new ToyWriter(header, { metadata: { content: {}, user: [] } }),
};

/** A format that hides plaintext from a glance. It shows what a new format takes: a folder, and a row. */
const toyFormat: ObjectFormat = {
  name: 'toy',
  asSent: false,
  isMarked: ({ user }) => user.some(([name]) => name === MARK),
  clientMetadata: (metadata) => ({ ...metadata, user: metadata.user.filter(([name]) => name !== MARK) }),
  async identify({ ref, stored }, desk) {
    const id = Buffer.from(stored.metadata.user.find(([name]) => name === MARK)?.[1] ?? '', 'hex');
    if (id.length !== 16 || stored.storedBytes < END_BYTES) throw corrupted('It is no toy.');
    return toyObject(ref, { ...stored, metadata: this.clientMetadata(stored.metadata) }, id, desk);
  },
  guess: (range) => (range.kind === 'suffix' ? { suffixBytes: range.bytes + END_BYTES } : range),
  remembered: () => undefined,
  forget: () => undefined,
  storedBytes: (plaintextBytes) => plaintextBytes + END_BYTES,
  plaintextBytes: (storedBytes) => (storedBytes < END_BYTES ? undefined : storedBytes - END_BYTES),
  claimedBytes: ({ storedBytes }) => storedBytes - END_BYTES,
  endBytes: (storedBytes) => (storedBytes < END_BYTES ? 0 : END_BYTES),
  begin: async (object, plaintextBytes, { randomBytes }) => new ToyWriter(randomBytes(16), object, plaintextBytes),
  beginPieces: async (object, { randomBytes }) => new ToyWriter(randomBytes(16), object),
  uploads,
};

export const toyRow: FormatRow = {
  protection: 'veil',
  about: 'bytes are veiled',
  reads: ['toy'],
  open: () => toyFormat,
};
