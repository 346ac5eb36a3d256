import { DEFAULT_KEY_NAME, isKeyName } from '../../keys/key-names.ts';
import { network } from '../../settings/forms/values.ts';
import {
  type BucketPolicy,
  DEFAULT_BUCKET_POLICY,
  INJECTED_FORMS,
  type InjectedForm,
  type ProtectionWords,
} from '../bucket-policy.ts';

/** What a rule may say of the buckets that its pattern matches; what it leaves out, others may say. */
export interface RuleFields {
  /** The word of the format that new objects have (formats/table.ts). */
  readonly protection?: string;
  /** How the store itself encrypts objects, where the protection leaves it to the store. */
  readonly inject?: InjectedForm;
  /** The form of encryption that new objects must have. Where nothing is required, a client may ask for any. */
  readonly require?: 'any' | 'managed' | 'kms' | 'customer';
  /**
   * The named keys under which new objects may be sealed, where a client asks for a named key. Where the store encrypts
   * by itself, they are keys of its KMS.
   */
  readonly keys?: readonly string[];
  /**
   * Whether clients may write with keys of their own (S3's SSE-C). `registered` takes keys only that were registered
   * beforehand.
   */
  readonly customerKeys?: 'allow' | 'refuse' | 'registered';
  /** Whether unmarked objects in a sealed bucket are served as plaintext, for the time of a migration. */
  readonly plaintextReads?: 'allow' | 'refuse';
  readonly location?: BucketPolicy['location'];
  readonly metadata?: BucketPolicy['metadata'];
  readonly etag?: BucketPolicy['etag'];
  readonly quantum?: BucketPolicy['quantum'];
  readonly anonymous?: boolean;
  /** The oldest version of TLS that a client's connection to the gateway may have. */
  readonly minTls?: '1.2' | '1.3';
  /** The names of the dialects in which the bucket may be used. */
  readonly dialects?: readonly string[];
  /** Whether every operation that changes anything is refused. */
  readonly readOnly?: boolean;
  /** The networks and addresses from which the bucket may be used. */
  readonly networks?: readonly string[];
}

export type RuleField = keyof RuleFields;

/** A rule for the buckets of one tenant, and where it was written. */
export interface BucketRule {
  /** The name of a bucket, or a pattern of names, as in `BucketPolicy.pattern`. */
  readonly bucket: string;
  readonly fields: RuleFields;
  /** The file as it was named when it was applied, with line and column of the rule's beginning, from 1 on. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The words that differ from gateway to gateway. */
export interface RuleWords {
  readonly protections: readonly string[];
  /** The names of dialects; undefined takes any name. */
  readonly dialects: readonly string[] | undefined;
}

/** What may stand as the value of a field. */
export interface FieldForm {
  /** Whether the value is a list. */
  readonly list: boolean;
  /** The words that the value, or each item of a list, is one of; undefined where any text of a form may stand. */
  readonly words: (words: RuleWords) => readonly string[] | undefined;
  /** Words that will mean something in a later release, and that are refused until then. */
  readonly later?: readonly string[];
  /** What may stand, where there are no words. */
  readonly expected?: string;
  /** Whether a text may stand, where there are no words. */
  readonly fits?: (text: string) => boolean;
  /** Makes the value of a word; by default the word itself. */
  readonly value?: (word: string) => unknown;
}

/** The most items of a list. */
const MOST_ITEMS = 1000;

function oneOf(...words: readonly string[]): FieldForm {
  return { list: false, words: () => words };
}

const FLAG: FieldForm = { ...oneOf('true', 'false'), value: (word) => word === 'true' };

/** The fields of rules, in the order in which they are shown. */
export const RULE_FIELDS: { readonly [Field in RuleField]-?: FieldForm } = {
  protection: { list: false, words: ({ protections }) => protections, later: ['cse'] },
  inject: oneOf(...INJECTED_FORMS),
  require: oneOf('any', 'managed', 'kms', 'customer'),
  keys: {
    list: true,
    words: () => undefined,
    expected: 'names of keys, as `key add --name` takes them, or aws/s3 for the tenant’s own',
    fits: (name) => name === DEFAULT_KEY_NAME || isKeyName(name),
  },
  customerKeys: oneOf('allow', 'refuse', 'registered'),
  plaintextReads: oneOf('allow', 'refuse'),
  location: oneOf('enforce', 'warn'),
  metadata: oneOf('enforce', 'warn'),
  etag: oneOf('opaque', 'md5'),
  quantum: { ...oneOf('0', '1', '2'), value: Number },
  anonymous: FLAG,
  minTls: oneOf('1.2', '1.3'),
  dialects: {
    list: true,
    words: ({ dialects }) => dialects,
    expected: 'names of dialects',
    fits: (name) => /^[a-z0-9-]{1,64}$/.test(name),
  },
  readOnly: FLAG,
  networks: {
    list: true,
    words: () => undefined,
    expected: network.expected,
    fits: (text) => network.read(text) !== undefined,
  },
};

export const RULE_FIELD_NAMES = Object.keys(RULE_FIELDS) as readonly RuleField[];

/** What holds where no rule says anything else. `null` means that nothing is asked. */
export function ruleDefaults(protections: ProtectionWords): { readonly [Field in RuleField]-?: unknown } {
  const { location, metadata, etag, quantum, anonymous } = DEFAULT_BUCKET_POLICY;
  return {
    protection: protections[0],
    inject: 'managed',
    require: 'any',
    keys: null,
    customerKeys: 'allow',
    plaintextReads: 'refuse',
    location,
    metadata,
    etag,
    quantum,
    anonymous,
    minTls: null,
    dialects: null,
    readOnly: false,
    networks: null,
  };
}

/** What is wrong with one value of a field. */
export interface FieldProblem {
  /** The value, or the item of a list, that is wrong; undefined where the value as a whole is. */
  readonly item: string | undefined;
  readonly problem: 'unknown' | 'later' | 'shape';
}

/** Reads the value of a field, as YAML or JSON has it. */
export function readField(
  field: RuleField,
  given: unknown,
  words: RuleWords,
): { readonly value: unknown } | FieldProblem {
  const form = RULE_FIELDS[field];
  if (!form.list) return readItem(form, given, words);
  const items = Array.isArray(given) ? given : [given];
  if (items.length === 0 || items.length > MOST_ITEMS) return { item: undefined, problem: 'shape' };
  const values: unknown[] = [];
  for (const item of items) {
    const read = readItem(form, item, words);
    if ('problem' in read) return read;
    values.push(read.value);
  }
  return { value: Object.freeze(values) };
}

function readItem(form: FieldForm, given: unknown, words: RuleWords): { readonly value: unknown } | FieldProblem {
  if (!['string', 'number', 'boolean'].includes(typeof given)) return { item: undefined, problem: 'shape' };
  const text = String(given);
  const known = form.words(words);
  if (known?.includes(text) ?? form.fits?.(text)) return { value: form.value?.(text) ?? text };
  return { item: text, problem: form.later?.includes(text) ? 'later' : 'unknown' };
}

/** What a tenant's own bucket option says: where it differs from the defaults. */
export function fieldsOfOption(policy: BucketPolicy, defaultProtection: string): RuleFields {
  const standard = DEFAULT_BUCKET_POLICY;
  return {
    ...(policy.protection !== defaultProtection && { protection: policy.protection }),
    ...(policy.inject !== undefined && { inject: policy.inject }),
    ...(policy.mixed !== standard.mixed && { plaintextReads: 'allow' }),
    ...(policy.location !== standard.location && { location: policy.location }),
    ...(policy.metadata !== standard.metadata && { metadata: policy.metadata }),
    ...(policy.etag !== standard.etag && { etag: policy.etag }),
    ...(policy.quantum !== standard.quantum && { quantum: policy.quantum }),
    ...(policy.anonymous !== standard.anonymous && { anonymous: policy.anonymous }),
  };
}
