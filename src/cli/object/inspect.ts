import { gatherMetadata } from '../../envelope/carried-metadata.ts';
import { canonicalMetadata } from '../../envelope/claims.ts';
import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { FOOTER_END_BYTES, footerBytesOf } from '../../envelope/footer.ts';
import { explainSealed, type SealedExplanation } from '../../envelope/inspect.ts';
import type { OpenedFile } from '../../envelope/open-file.ts';
import { maxFooterBytes } from '../../envelope/sizes.ts';
import {
  CONFIG_OPTION,
  CONFIG_USAGE,
  type Command,
  CommandFailed,
  JSON_OPTION,
  JSON_USAGE,
  readArguments,
  required,
} from '../shell/command.ts';
import { commandConfig, configFile } from '../shell/config-file.ts';
import { describeError } from '../shell/describe-error.ts';
import { EXIT_FAILED, EXIT_OK, type Terminal } from '../shell/terminal.ts';
import { textTable } from '../shell/text-table.ts';
import { withStores } from '../shell/with-stores.ts';
import {
  CUSTOMER_KEY_OPTIONS,
  CUSTOMER_KEY_USAGE,
  openWithKeys,
  readCustomerKeyOptions,
  withCustomerKey,
} from './open.ts';
import {
  ENVELOPE_OPTIONS,
  ENVELOPE_USAGE,
  openSource,
  readMetadataOptions,
  type SealedSource,
} from './sealed-source.ts';

export const inspectCommand: Command = {
  usage: `inspect FILE|s3://BUCKET/KEY [options]

FILE is an object as the backend holds it; s3://BUCKET/KEY is read from the backend. Where a configuration names a key
store, the object's key is looked up and its envelope and footer are verified; its body is not read. An object under a
client's own key is verified with that key.

${ENVELOPE_USAGE}
${CUSTOMER_KEY_USAGE}
${CONFIG_USAGE}
${JSON_USAGE}`,
  run: async (args, terminal) => {
    const options = { ...CONFIG_OPTION, ...JSON_OPTION, ...ENVELOPE_OPTIONS, ...CUSTOMER_KEY_OPTIONS } as const;
    const { values, positionals } = readArguments(args, options, { most: 1 });
    const argument = required(positionals[0], 'FILE or s3://BUCKET/KEY');
    const customer = readCustomerKeyOptions(values);
    const metadata = readMetadataOptions(values, terminal);
    const config = () => commandConfig(values.config, terminal);
    const source = await openSource(argument, { metadata, config, terminal });
    try {
      const explanation = explainSealed({
        envelope: source.envelope,
        carried: source.carried,
        location: source.location,
        storedBytes: source.size,
        tail: await footerOf(source),
      });
      // An object under a customer's key is opened by that key alone, which no key store has.
      const hasKeys = explanation.envelope.keyRingId !== undefined && configFile(values.config, terminal) !== undefined;
      const recover = source.envelope === undefined;
      const verdict =
        customer !== undefined
          ? await withCustomerKey(source, { ...customer, recover, terminal }, (opened) =>
              customerVerdict(source, opened),
            )
          : hasKeys
            ? await verify(source, values.config, terminal)
            : undefined;
      if (values.json)
        terminal.print(JSON.stringify(inspectionForScripts(source.name, explanation, verdict), undefined, 2));
      else terminal.print(inspectionText(source.name, explanation, verdict));
      return verdict?.authentic === false ? EXIT_FAILED : EXIT_OK;
    } finally {
      await source.close();
    }
  },
};

/** What is known with the key store's help, beside the fields in clear. */
interface Verdict {
  readonly authentic: boolean;
  readonly problem?: string;
  readonly tenant?: string;
  readonly keyName?: string;
  readonly currentKekVersion?: number;
  /** The encryption context; undefined where the object has none. */
  readonly encryptionContext?: { readonly text: string | undefined; readonly bucketKey: boolean };
  readonly parts?: readonly { readonly partNumber: number; readonly plaintextBytes: number }[];
  /**
   * Whether an object in the backend lies where it was sealed for and, below, has the metadata with which it was
   * sealed.
   */
  readonly location?: ClaimVerdict;
  readonly metadata?: ClaimVerdict;
}

/** A location that is claimed beside a customer's envelope is claimed under the tenant's key, which is not at hand. */
type ClaimVerdict = 'as sealed' | 'changed' | 'not claimed' | 'not verified';

async function verify(source: SealedSource, config: string | undefined, terminal: Terminal): Promise<Verdict> {
  return withStores({ config, terminal }, async (stores) => {
    let opened: OpenedFile;
    try {
      opened = await openWithKeys(source, { stores, recover: source.envelope === undefined });
    } catch (error) {
      return { authentic: false, problem: describeError(error) };
    }
    const ring = await stores.keyRings.read(opened.envelope.head.keyRingId);
    return {
      authentic: true,
      ...(ring !== undefined && { tenant: ring.tenant, currentKekVersion: ring.current }),
      ...(ring?.name !== undefined && { keyName: ring.name }),
      ...(opened.envelope.context !== undefined && { encryptionContext: shownContext(opened.envelope.context) }),
      ...(source.stored !== undefined && claimVerdicts(opened.envelope, source.stored)),
      parts: opened.manifest.parts.map(({ partNumber, plaintextBytes }) => ({ partNumber, plaintextBytes })),
    };
  });
}

/** What is known of an object whose client's key was given, and opens it. */
function customerVerdict(source: SealedSource, { envelope, manifest }: OpenedFile): Verdict {
  return {
    authentic: true,
    ...(source.stored !== undefined && claimVerdicts(envelope, source.stored)),
    parts: manifest.parts.map(({ partNumber, plaintextBytes }) => ({ partNumber, plaintextBytes })),
  };
}

function shownContext({ canonical, bucketKey }: EncryptionContext): Verdict['encryptionContext'] {
  return { text: canonical.length === 0 ? undefined : canonical.toString('utf8'), bucketKey };
}

function claimVerdicts(
  { head, keys, fields }: OpenedFile['envelope'],
  { ref, metadata }: NonNullable<SealedSource['stored']>,
): Required<Pick<Verdict, 'location' | 'metadata'>> {
  const gathered = gatherMetadata(metadata);
  const [location, tag] = [keys.locationTag(ref.bucket, ref.key), keys.metadataTag(canonicalMetadata(gathered))];
  const verdict = (claimed: boolean, holds: boolean): ClaimVerdict =>
    claimed ? (holds ? 'as sealed' : 'changed') : 'not claimed';
  return {
    location: head.hasLocationEntry
      ? 'not verified'
      : verdict(head.hasLocationClaim, location.equals(fields.locationTag)),
    metadata: verdict(head.hasMetadataTag, tag.equals(fields.metadataTag) && head.carriesMetadata === gathered.carries),
  };
}

/** Reads the footer. It reads as much as the footer's own length says, if that can be true. */
async function footerOf(source: SealedSource): Promise<Buffer> {
  const end = await source.read(Math.max(0, source.size - FOOTER_END_BYTES), Math.min(FOOTER_END_BYTES, source.size));
  if (!endsSealed(end)) {
    throw new CommandFailed(`${source.name} does not end as a sealed object does: it is not sealed, or it was cut.`);
  }
  // The length is not authenticated yet, so it is bounded: the longest footer has the finest quantum over as many
  // plaintext bytes.
  const footerBytes = Math.min(footerBytesOf(end), maxFooterBytes(source.size, 2), source.size);
  return source.read(source.size - footerBytes, footerBytes);
}

function endsSealed(end: Buffer): boolean {
  try {
    footerBytesOf(end);
    return true;
  } catch {
    return false;
  }
}

function inspectionForScripts(name: string, explained: SealedExplanation, verdict: Verdict | undefined) {
  // The explanation has an `authenticated` of its own, which is only about the fields in clear, so it is replaced.
  return { source: name, ...explained, authenticated: verdict?.authentic === true, verification: verdict };
}

function inspectionText(name: string, explained: SealedExplanation, verdict: Verdict | undefined): string {
  const { envelope, sizes, footer } = explained;
  const rows: [string, string][] = [
    ['object', name],
    ['format', `SX1 version ${envelope.version}, ${envelope.suite}`],
    ['structure', envelope.structure],
    ['envelope from', envelope.source],
    ['key ring', envelope.keyRingId ?? 'none: a customer key'],
    ['key version', String(envelope.kekVersion)],
    ['asked for', envelope.requestedEncryption],
    ['object id', envelope.objectId],
    ['key commitment', envelope.keyCommitment],
    ['claims', claims(explained)],
    ['metadata', metadataText(explained)],
    ['encryption context', contextText(envelope, verdict)],
    ['segments of', `${envelope.segmentBytes} bytes; smallest part ${envelope.smallestPartBytes} bytes`],
  ];
  if (sizes !== undefined)
    rows.push(['stored bytes', String(sizes.storedBytes)], ['plaintext bytes', plaintext(sizes)]);
  if (sizes?.segments !== undefined) rows.push(['segments', String(sizes.segments)]);
  if (footer !== undefined) {
    rows.push([
      'footer',
      `${footer.footerBytes} bytes, manifest ` +
        `${footer.manifestBytes}${footerHas(footer)}, for ${footer.plaintextBytes} ` +
        `plaintext bytes`,
    ]);
    rows.push(['parts', footer.parts === 0 ? 'one' : String(footer.parts ?? 'unknown')]);
  }
  rows.push(['verified', verdictText(verdict, envelope)]);
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
  return [...lines, ...partLines(verdict)].join('\n');
}

function claims({ envelope, location }: SealedExplanation): string {
  const beside =
    location === undefined
      ? 'location in sx1l, which is not at hand'
      : `location in sx1l under key ring ${location.keyRingId}, version ${location.kekVersion}`;
  const held = [
    envelope.locationClaim ? 'location' : '',
    envelope.locationEntry ? beside : '',
    envelope.metadataTag ? 'metadata' : '',
  ].filter(Boolean);
  return held.length === 0 ? 'none' : held.join(', ');
}

/** Says what the object's encryption context is. It is sealed, so it takes the key store to read it. */
function contextText({ encryptionContext }: SealedExplanation['envelope'], verdict: Verdict | undefined): string {
  if (!encryptionContext) return 'none';
  const { encryptionContext: context } = verdict ?? {};
  if (context === undefined) return 'sealed in sx1c';
  return `${context.text ?? 'empty'}${context.bucketKey ? ', with a bucket key' : ''}`;
}

/** Shows the metadata that other tools do not show, because it lies in the gateway's own entry. */
function metadataText({ envelope, carried }: SealedExplanation): string {
  if (!envelope.carriesMetadata) return 'in clear';
  if (carried === undefined) return 'some of it carried in sx1m, which is not at hand';
  return `some of it carried in sx1m: ${JSON.stringify({ ...carried.content, ...Object.fromEntries(carried.user) })}`;
}

function footerHas({ longChecksum, crc64 }: NonNullable<SealedExplanation['footer']>): string {
  const has = [...(longChecksum ? ['a SHA-512'] : []), ...(crc64 ? ['a CRC-64'] : [])];
  return has.length === 0 ? '' : ` with ${has.join(' and ')}`;
}

function plaintext(sizes: NonNullable<SealedExplanation['sizes']>): string {
  if (sizes.plaintextBytes === undefined) return 'none: no sealed object has this stored size; it was cut or extended';
  return `${sizes.plaintextBytes} (${sizes.overheadBytes} bytes of overhead)`;
}

function verdictText(verdict: Verdict | undefined, { keyRingId }: SealedExplanation['envelope']): string {
  if (keyRingId === undefined) {
    if (verdict === undefined) return 'no: that takes the customer’s key (--customer-key-file)';
    return `envelope and footer are authentic, under the customer’s key${claimsText(verdict)}`;
  }
  if (verdict === undefined) return 'no: that takes the key store (--config)';
  if (!verdict.authentic) return `NO: ${verdict.problem}`;
  const { tenant, keyName, currentKekVersion } = verdict;
  return (
    `envelope and footer are authentic; key${keyName === undefined ? '' : ` ${keyName}`} of tenant ${tenant}, whose ` +
    `current version is ` +
    `${currentKekVersion}${claimsText(verdict)}`
  );
}

function claimsText({ location, metadata }: Verdict): string {
  return location === undefined ? '' : `; place ${location}, metadata ${metadata}`;
}

function partLines(verdict: Verdict | undefined): string[] {
  const parts = verdict?.parts ?? [];
  if (parts.length === 0) return [];
  const rows = parts.map(({ partNumber, plaintextBytes }) => [String(partNumber), String(plaintextBytes)]);
  return ['', textTable(['PART', 'PLAINTEXT BYTES'], rows)];
}
