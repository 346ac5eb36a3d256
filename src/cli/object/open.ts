import { createWriteStream, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canonicalContext, type EncryptionContext } from '../../envelope/encryption-context.ts';
import { readEnvelopeHead } from '../../envelope/envelope.ts';
import { CUSTOMER_KEY } from '../../envelope/envelope-head.ts';
import { FOOTER_END_BYTES, footerBytesOf, readFooterEnvelope } from '../../envelope/footer.ts';
import { type OpenedFile, openSealedFile } from '../../envelope/open-file.ts';
import { GatewayError } from '../../errors.ts';
import { readCustomerKeyFile } from '../key/customer-key-file.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  readArguments,
  required,
  UsageError,
} from '../shell/command.ts';
import { commandConfig } from '../shell/config-file.ts';
import { EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { type Stores, withStores } from '../shell/with-stores.ts';
import {
  ENVELOPE_OPTIONS,
  ENVELOPE_USAGE,
  openSource,
  readMetadataOptions,
  type SealedSource,
} from './sealed-source.ts';

/** The options by which a client's own key is given. */
export const CUSTOMER_KEY_OPTIONS = { 'customer-key-file': { type: 'string' }, tenant: { type: 'string' } } as const;
export const CUSTOMER_KEY_USAGE = `      --customer-key-file FILE
                      The file that holds the client's own key (SSE-C): 32 bytes, or these in base64. Only its owner and
                      the group may have access to it. Needs --tenant, and no key store.
      --tenant NAME   The tenant whose object it is: an object under a client's key does not say it.`;

export const openCommand: Command = {
  usage: `open FILE|s3://BUCKET/KEY [options]

Decrypts an object that was downloaded from the backend as it lies there, or the backend's own copy. Needs the key
store and the root key, or the key that the object's client keeps, but no running gateway. Every byte is verified; whether the object lies where it was put, under
the metadata that it was put with, is not: a file in hand has neither.

  -o, --output OUT    Write here; appears only once every byte was verified. Without it: standard output.
${ENVELOPE_USAGE}
      --recover       Use the copy at the object's end, because its metadata was lost.
      --context FILE  The encryption context that the object was put with, as JSON, where its metadata was lost.
${CUSTOMER_KEY_USAGE}
${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const options = {
      ...CONFIG_OPTION,
      ...ENVELOPE_OPTIONS,
      output: { type: 'string', short: 'o' },
      recover: { type: 'boolean' },
      context: { type: 'string' },
      ...CUSTOMER_KEY_OPTIONS,
    } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const argument = required(positionals[0], 'FILE or s3://BUCKET/KEY');
    const customer = readCustomerKeyOptions(values);
    const metadata = readMetadataOptions(values, terminal);
    const config = () => commandConfig(values.config, terminal);
    const source = await openSource(argument, { metadata, config, terminal });
    try {
      const recover = values.recover === true;
      const context = values.context === undefined ? undefined : readContextFile(values.context, terminal);
      if (customer !== undefined) {
        await withCustomerKey(source, { ...customer, recover, context, terminal }, (opened) =>
          deliver(opened, { output: values.output, terminal }),
        );
        return EXIT_OK;
      }
      await withStores({ config: values.config, terminal }, async (stores) => {
        const opened = await openWithKeys(source, { stores, recover, context });
        await deliver(opened, { output: values.output, terminal });
      });
    } finally {
      await source.close();
    }
    return EXIT_OK;
  },
};

interface Opening {
  readonly recover: boolean;
  readonly context?: EncryptionContext | undefined;
}

/** Finds the key that the object names, and opens envelope and footer with it. */
export async function openWithKeys(
  source: SealedSource,
  { stores, ...opening }: Opening & { readonly stores: Stores },
): Promise<OpenedFile> {
  const envelope = await envelopeOf(source, opening);
  const head = readEnvelopeHead(envelope);
  if (head.requested === CUSTOMER_KEY) {
    throw new CommandFailed(
      `${source.name} is encrypted with a key that its client keeps. No key store has it: sealgate open takes it with ` +
        '--customer-key-file.',
    );
  }
  const kek = await stores.keyRings.kek(head.keyRingId, head.kekVersion);
  const context = contextFor(source, opening);
  return openSealedFile(source, { envelope, kek: () => kek.key, tenant: kek.tenant, context });
}

interface CustomerKeyFile {
  readonly keyFile: string;
  readonly tenant: string;
}

/** @throws UsageError where one of the options lacks the other */
export function readCustomerKeyOptions(
  values: { readonly [name in keyof typeof CUSTOMER_KEY_OPTIONS]?: string | undefined },
): CustomerKeyFile | undefined {
  const keyFile = values['customer-key-file'];
  if (keyFile !== undefined) return { keyFile, tenant: required(values.tenant, '--tenant NAME') };
  if (values.tenant !== undefined) throw new UsageError('--tenant needs --customer-key-file.');
  return undefined;
}

/**
 * Opens envelope and footer with the key that the object's client keeps, and erases the key after `use`.
 * @throws CommandFailed, and what `use` throws
 */
export async function withCustomerKey<T>(
  source: SealedSource,
  { keyFile, tenant, terminal, ...opening }: Opening & CustomerKeyFile & { readonly terminal: Terminal },
  use: (opened: OpenedFile) => Promise<T> | T,
): Promise<T> {
  const key = readCustomerKeyFile(keyFile, terminal);
  try {
    return await use(await openWithCustomerKey(source, { key, keyFile, tenant, ...opening }));
  } finally {
    key.fill(0);
  }
}

async function openWithCustomerKey(
  source: SealedSource,
  { key, keyFile, tenant, ...opening }: Opening & CustomerKeyFile & { readonly key: Buffer },
): Promise<OpenedFile> {
  const envelope = await envelopeOf(source, opening);
  if (readEnvelopeHead(envelope).requested !== CUSTOMER_KEY) {
    throw new CommandFailed(
      `${source.name} is encrypted with a key of the key store’s. Leave --customer-key-file and --tenant out.`,
    );
  }
  const kek = { symmetricKeySize: key.length, export: () => Buffer.from(key) };
  const context = contextFor(source, opening);
  try {
    return await openSealedFile(source, { envelope, kek: () => kek, tenant, context });
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'ObjectCorrupted') throw error;
    throw new CommandFailed(
      `${source.name} does not open under the key in ${keyFile} as an object of tenant ${tenant}: it was put with ` +
        'another key, or by another tenant, or it was altered.',
    );
  }
}

/** @throws CommandFailed where it was not given and is not to be recovered */
async function envelopeOf(source: SealedSource, { recover }: Opening): Promise<Buffer> {
  const envelope = recover ? await footerEnvelope(source) : source.envelope;
  if (envelope !== undefined) return envelope;
  throw new CommandFailed(
    `${source.name} alone does not say how it was sealed: give its metadata with --envelope or --metadata. ` +
      'If that is lost, --recover uses the copy at its end.',
  );
}

/** An object that was put without a context, but for a bucket key, is bound to an empty one. */
function contextFor(source: SealedSource, { recover, context }: Opening): EncryptionContext | string | undefined {
  return context ?? (recover ? NO_CONTEXT : source.context);
}

const NO_CONTEXT: EncryptionContext = { canonical: Buffer.alloc(0), bucketKey: false };

/** Reads the file that holds an encryption context. @throws CommandFailed */
function readContextFile(file: string, terminal: Terminal): EncryptionContext {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(resolve(terminal.cwd, file), 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'it is not JSON';
    throw new CommandFailed(`The encryption context ${file} cannot be read (${code}).`);
  }
  const canonical = canonicalContext(value);
  if (canonical === undefined) throw new CommandFailed(`The encryption context ${file} is not a JSON object of texts.`);
  return { canonical, bucketKey: false };
}

/**
 * Reads the copy of the envelope in the footer.
 * @throws GatewayError ObjectCorrupted if the object does not end as SX1 does
 */
export async function footerEnvelope(source: SealedSource): Promise<Buffer> {
  const end = await source.read(Math.max(0, source.size - FOOTER_END_BYTES), FOOTER_END_BYTES);
  const footerBytes = Math.min(footerBytesOf(end), source.size);
  return readFooterEnvelope(await source.read(source.size - footerBytes, footerBytes));
}

async function deliver(
  opened: OpenedFile,
  { output, terminal }: { readonly output: string | undefined; readonly terminal: Terminal },
): Promise<void> {
  if (output === undefined) {
    for await (const chunk of opened.bytes()) await terminal.write(chunk);
    return;
  }
  const path = resolve(terminal.cwd, output);
  const draft = `${path}.partial`;
  try {
    await pipeline(Readable.from(copies(opened.bytes())), createWriteStream(draft, { mode: 0o600 }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  terminal.warn(`Wrote ${opened.plaintextBytes} bytes to ${output}.`);
}

/**
 * Copies each chunk. A chunk belongs to its source again at the next pull, but a file stream keeps it until it is
 * written.
 */
async function* copies(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of source) yield Buffer.from(chunk);
}
