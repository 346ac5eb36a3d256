import { FORMATS, type FormatTable, protectionWords } from '../../formats/table.ts';
import { nearestName } from '../../settings/nearest-name.ts';
import { type BucketPolicy, DEFAULT_BUCKET_POLICY, INJECTED_FORMS } from '../../tenants/bucket-policy.ts';
import { UsageError } from '../shell/command.ts';

type PolicyPart = Partial<Omit<BucketPolicy, 'pattern'>>;

/** A pattern, and the parts of its policy that differ from the defaults. */
export type BucketOption = PolicyPart & { readonly pattern: string };

/** The option `--bucket PATTERN:…`: the parts of policies that may stand after its colons. */
export class BucketOptions {
  readonly #parts: Readonly<Record<string, PolicyPart>>;
  readonly #defaults: PolicyPart;
  readonly #formats: FormatTable;

  /** @param formats of which a policy chooses one by its word for the protection */
  constructor(formats: FormatTable = FORMATS) {
    const words = protectionWords(formats);
    this.#formats = formats;
    this.#defaults = { ...DEFAULT_BUCKET_POLICY, protection: words[0] };
    this.#parts = {
      mixed: { mixed: true },
      anonymous: { anonymous: true },
      ...Object.fromEntries(words.map((protection) => [`protection=${protection}`, { protection }])),
      ...Object.fromEntries(INJECTED_FORMS.map((inject) => [`inject=${inject}`, { inject }])),
      'location=enforce': { location: 'enforce' },
      'location=warn': { location: 'warn' },
      'metadata=enforce': { metadata: 'enforce' },
      'metadata=warn': { metadata: 'warn' },
      'etag=opaque': { etag: 'opaque' },
      'etag=md5': { etag: 'md5' },
      'quantum=0': { quantum: 0 },
      'quantum=1': { quantum: 1 },
      'quantum=2': { quantum: 2 },
    };
  }

  /**
   * Reads policies from `acme-*` or `acme-old:mixed:location=warn`; a comma separates several.
   * @throws UsageError
   */
  read(options: readonly string[]): BucketOption[] {
    return options
      .flatMap((option) => option.split(','))
      .map((option) => option.trim())
      .filter((option) => option !== '')
      .map((option) => this.#readPolicy(option));
  }

  /** Renders a pattern, and what differs from the defaults, as the option spells it. */
  describe(policy: BucketPolicy): string {
    const parts = Object.entries(this.#parts)
      .filter(([, part]) =>
        Object.entries(part).every(
          ([name, value]) =>
            policy[name as keyof PolicyPart] === value && this.#defaults[name as keyof PolicyPart] !== value,
        ),
      )
      .map(([text]) => text);
    return [policy.pattern, ...parts].join(':');
  }

  /** Explains the words for the protection that are not the default, a line each, as the help of commands has it. */
  protectionUsage(): readonly string[] {
    const [, ...others] = Object.values(this.#formats);
    return others.map(({ protection, about }) => `${`protection=${protection}`.padEnd(18)} ${about}`);
  }

  #readPolicy(option: string): BucketOption {
    const [pattern = '', ...parts] = option.split(':');
    if (pattern === '') throw new UsageError(`--bucket ${option}: the pattern is missing.`);
    const read: BucketOption = Object.assign({ pattern }, ...parts.map((part) => this.#readPart(part)));
    if (read.inject !== undefined && !this.#leavesItToTheStore(read.protection)) {
      throw new UsageError(
        `--bucket ${option}: inject=${read.inject} says how the store encrypts: add protection=inject.`,
      );
    }
    return read;
  }

  #leavesItToTheStore(protection: string | undefined): boolean {
    return Object.values(this.#formats).some((row) => row.protection === protection && row.storeEncrypts === true);
  }

  #readPart(part: string): PolicyPart {
    const known = Object.hasOwn(this.#parts, part) ? this.#parts[part] : undefined;
    if (known !== undefined) return known;
    const names = Object.keys(this.#parts);
    const meant = nearestName(part, names);
    const hint = meant === undefined ? `Known are ${names.join(', ')}.` : `Did you mean ${meant}?`;
    throw new UsageError(`--bucket: ${part} is no policy. ${hint}`);
  }
}
