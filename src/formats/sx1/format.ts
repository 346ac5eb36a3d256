import { gatherMetadata } from '../../envelope/carried-metadata.ts';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../envelope/envelope.ts';
import { maxFooterBytes, plaintextBytesOf, QUANTA, sealedBytes } from '../../envelope/sizes.ts';
import { proven } from '../../errors.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { FoundObject, IdentifiedObject, ObjectFormat } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import { corrupted } from '../refusals.ts';
import { hasLostItsEnvelope } from './lost-envelope.ts';
import { SealedObject } from './sealed-object.ts';
import { sealedUploads } from './sealed-upload.ts';
import { SealedPieces, SealedWriter } from './sealed-writer.ts';
import { envelopeText, newEnvelope, openSealed } from './sealing.ts';
import { storedGuess } from './stored-guess.ts';

/** SX1, the gateway's own format (FORMAT.md): sealed segments and a footer in the body, an envelope in the metadata. */
export const sx1: ObjectFormat = {
  name: 'sx1',
  asSent: false,
  isMarked: ({ user }) => user.some(([name]) => name === ENVELOPE_ENTRY),
  clientMetadata,
  identify,
  hasLostMark: hasLostItsEnvelope,
  guess: storedGuess,
  remembered(ref, { layouts, keys }) {
    const known = layouts.get(keys.scope, ref);
    if (known === undefined) return undefined;
    const { multipart, parts } = known.manifest;
    return { etag: known.backendEtag, parts: multipart ? parts : undefined };
  },
  forget: (ref, { layouts, keys }) => layouts.delete(keys.scope, ref),
  storedBytes: (plaintextBytes, { quantum }) => sealedBytes(plaintextBytes, quantum),
  plaintextBytes: (storedBytes, { quantum }) => plaintextBytesOf(storedBytes, quantum),
  claimedBytes({ metadata, storedBytes }) {
    const { quantum } = readEnvelopeHead(decodeEnvelope(envelopeText(metadata) ?? ''));
    return plaintextBytesOf(storedBytes, quantum) ?? storedBytes;
  },
  endBytes: mostEndBytes,
  async begin({ ref, metadata }, plaintextBytes, desk) {
    return new SealedWriter(await newEnvelope(ref, metadata, plaintextBytes, desk), plaintextBytes, desk);
  },
  async beginPieces({ ref, metadata }, desk) {
    return new SealedPieces(await newEnvelope(ref, metadata, undefined, desk), desk);
  },
  uploads: sealedUploads,
};

/** Enough for the footer, whatever quantum the object has. */
function mostEndBytes(storedBytes: number): number {
  let bytes = 0;
  for (const quantum of QUANTA) {
    const plaintextBytes = plaintextBytesOf(storedBytes, quantum);
    if (plaintextBytes !== undefined) bytes = Math.max(bytes, maxFooterBytes(plaintextBytes, quantum));
  }
  return Math.min(bytes, storedBytes);
}

function clientMetadata(metadata: ObjectMetadata): ObjectMetadata {
  const { content, user } = gatherMetadata(metadata);
  return { ...metadata, content, user };
}

async function identify({ ref, stored: answered }: FoundObject, desk: FormatDesk): Promise<IdentifiedObject> {
  const text = envelopeText(answered.metadata);
  if (text === undefined) throw corrupted('It has no envelope.');
  const gathered = gatherMetadata(answered.metadata);
  const { content, user } = gathered;
  const stored = { ...answered, metadata: { ...answered.metadata, content, user } };
  const { opened, encryption } = await openSealed(text, ref, gathered, desk);
  const claimedBytes = plaintextBytesOf(stored.storedBytes, opened.head.quantum);
  const sealedLength = opened.fields.plaintextBytes;
  if (claimedBytes === undefined || (sealedLength !== undefined && sealedLength !== claimedBytes)) {
    throw corrupted('The stored object’s size does not fit its sealed length: it was truncated, extended or replaced.');
  }
  // The envelope opened.
  return proven(new SealedObject({ format: sx1, desk, ref, stored, opened, encryption, claimedBytes }));
}
