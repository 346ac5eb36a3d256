import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CARRIED_ENTRY } from '../../envelope/carried-metadata.ts';
import { CONTEXT_ENTRY } from '../../envelope/encryption-context.ts';
import { decodeEnvelope, ENVELOPE_ENTRY } from '../../envelope/envelope.ts';
import { LOCATION_ENTRY } from '../../envelope/location-claim.ts';
import type { RandomAccess } from '../../envelope/open-file.ts';
import { openBackend } from '../../gateway/open-backend.ts';
import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { Config } from '../../settings/config.ts';
import { CommandFailed, UsageError } from '../shell/command.ts';
import { ObjectClient } from '../shell/object-client.ts';
import type { Terminal } from '../shell/terminal.ts';

/** Options by which the command line gives a file's metadata. */
export const ENVELOPE_OPTIONS = { envelope: { type: 'string' }, metadata: { type: 'string' } } as const;

export const ENVELOPE_USAGE = `      --envelope TEXT The object's ${ENVELOPE_ENTRY} metadata entry, where the object is a file.
      --metadata FILE The file that holds it: what \`aws s3api head-object\` printed, or response headers.`;

/** A sealed object to read: a downloaded file, or the backend's own copy. */
export interface SealedSource extends RandomAccess {
  readonly name: string;
  /** undefined if the metadata was not given, or has no envelope. */
  readonly envelope: Buffer | undefined;
  /** The text of the entry with carried metadata; undefined if it was not given. */
  readonly carried: string | undefined;
  /** The text of the entry with the location claim of an object under a customer's key; undefined if not given. */
  readonly location: string | undefined;
  /** The text of the entry with the encryption context; undefined if it was not given. */
  readonly context: string | undefined;
  /** Where the object lies, and its metadata there; undefined for a file. */
  readonly stored: { readonly ref: ObjectRef; readonly metadata: ObjectMetadata } | undefined;
  close(): Promise<void>;
}

/** What the command line says about an object's metadata. */
export interface GivenMetadata {
  readonly envelope: Buffer | undefined;
  readonly carried: string | undefined;
  readonly location: string | undefined;
  readonly context: string | undefined;
}

const NOTHING: GivenMetadata = { envelope: undefined, carried: undefined, context: undefined, location: undefined };

/**
 * Opens `FILE` or `s3://BUCKET/KEY`. The latter is read from the backend, because the gateway never shows sealed bytes.
 */
export async function openSource(
  argument: string,
  given: {
    readonly metadata: GivenMetadata;
    readonly config: () => Config;
    readonly terminal: Terminal;
  },
): Promise<SealedSource> {
  const url = /^s3:\/\/([^/]+)\/(.+)$/s.exec(argument);
  if (url !== null) {
    return openStored({ bucket: url[1] as string, key: url[2] as string }, { ...given, config: given.config() });
  }
  if (argument.startsWith('s3:')) throw new UsageError(`${argument} is no s3://BUCKET/KEY.`);
  return openFile(argument, given);
}

/**
 * Reads the options about metadata.
 * @throws UsageError if both are given, GatewayError ObjectCorrupted for what is not an envelope
 */
export function readMetadataOptions(
  values: { readonly envelope?: string | undefined; readonly metadata?: string | undefined },
  terminal: Terminal,
): GivenMetadata {
  if (values.envelope !== undefined && values.metadata !== undefined) {
    throw new UsageError('--envelope and --metadata exclude one another.');
  }
  if (values.envelope !== undefined) return { ...NOTHING, envelope: decodeEnvelope(values.envelope.trim()) };
  if (values.metadata === undefined) return NOTHING;
  let text: string;
  try {
    text = readFileSync(resolve(terminal.cwd, values.metadata), 'utf8');
  } catch (error) {
    throw unreadable(values.metadata, error);
  }
  const entry = entryIn(text, ENVELOPE_ENTRY) ?? /^\s*([\w-]{200,})\s*$/.exec(text)?.[1];
  if (entry === undefined) throw new CommandFailed(`${values.metadata} has no ${ENVELOPE_ENTRY} entry.`);
  return {
    envelope: decodeEnvelope(entry),
    carried: entryIn(text, CARRIED_ENTRY),
    context: entryIn(text, CONTEXT_ENTRY),
    location: entryIn(text, LOCATION_ENTRY),
  };
}

/**
 * Finds an entry in printed metadata: `"sx1": "…"` as tools print it, `x-amz-meta-sx1: …` as servers do, or `sx1=…`.
 */
function entryIn(text: string, name: string): string | undefined {
  return new RegExp(`(?:^|[-"'\\s])${name}["']?\\s*[:=,]\\s*["']?([\\w-]+)`, 'im').exec(text)?.[1];
}

async function openFile(
  argument: string,
  given: { readonly metadata: GivenMetadata; readonly terminal: Terminal },
): Promise<SealedSource> {
  let file: FileHandle;
  let size: number;
  try {
    file = await open(resolve(given.terminal.cwd, argument), 'r');
    size = (await file.stat()).size;
  } catch (error) {
    throw unreadable(argument, error);
  }
  return {
    name: argument,
    size,
    ...given.metadata,
    stored: undefined,
    read: async (offset, length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}

async function openStored(
  ref: { readonly bucket: string; readonly key: string },
  given: { readonly metadata: GivenMetadata; readonly config: Config },
): Promise<SealedSource> {
  const backend = await openBackend(given.config);
  try {
    const client = new ObjectClient(backend);
    const stored = await client.head(ref);
    if (stored === undefined) throw new CommandFailed(`The backend has no object s3://${ref.bucket}/${ref.key}.`);
    const valueFor = (entry: string) => stored.metadata.user.find(([name]) => name === entry)?.[1];
    const entry = valueFor(ENVELOPE_ENTRY);
    return {
      name: `s3://${ref.bucket}/${ref.key}`,
      size: stored.storedBytes,
      carried: given.metadata.carried ?? valueFor(CARRIED_ENTRY),
      location: given.metadata.location ?? valueFor(LOCATION_ENTRY),
      context: given.metadata.context ?? valueFor(CONTEXT_ENTRY),
      stored: { ref, metadata: stored.metadata },
      envelope: given.metadata.envelope ?? (entry === undefined ? undefined : decodeEnvelope(entry)),
      read: async (offset, length) =>
        length === 0 ? Buffer.alloc(0) : client.range(ref, offset, Math.min(offset + length, stored.storedBytes) - 1),
      close: () => backend.close(),
    };
  } catch (error) {
    await backend.close();
    throw error;
  }
}

function unreadable(path: string, error: unknown): CommandFailed {
  return new CommandFailed(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}).`);
}
