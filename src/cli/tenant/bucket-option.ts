import { nearestName } from '../../settings/nearest-name.ts';
import { type BucketPolicy, DEFAULT_BUCKET_POLICY } from '../../tenants/bucket-policy.ts';
import { UsageError } from '../shell/command.ts';

type PolicyPart = Partial<Omit<BucketPolicy, 'pattern'>>;

/** A pattern, and the parts of its policy that differ from the defaults. */
export type BucketOption = PolicyPart & { readonly pattern: string };

/** The parts that may stand after the colon of `--bucket PATTERN:…`. */
const PARTS: Readonly<Record<string, PolicyPart>> = {
  mixed: { mixed: true },
  anonymous: { anonymous: true },
  'protection=seal': { protection: 'seal' },
  'protection=none': { protection: 'none' },
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

/**
 * Reads policies from `acme-*` or `acme-old:mixed:location=warn`; a comma separates several.
 * @throws UsageError
 */
export function readPolicies(options: readonly string[]): BucketOption[] {
  return options
    .flatMap((option) => option.split(','))
    .map((option) => option.trim())
    .filter((option) => option !== '')
    .map(readPolicy);
}

function readPolicy(option: string): BucketOption {
  const [pattern = '', ...parts] = option.split(':');
  if (pattern === '') throw new UsageError(`--bucket ${option}: the pattern is missing.`);
  return Object.assign({ pattern }, ...parts.map(readPart));
}

function readPart(part: string): PolicyPart {
  const known = Object.hasOwn(PARTS, part) ? PARTS[part] : undefined;
  if (known !== undefined) return known;
  const meant = nearestName(part, Object.keys(PARTS));
  const hint = meant === undefined ? `Known are ${Object.keys(PARTS).join(', ')}.` : `Did you mean ${meant}?`;
  throw new UsageError(`--bucket: ${part} is no policy. ${hint}`);
}

/** Renders a pattern, and what differs from the defaults, as the option spells it. */
export function describePolicy(policy: BucketPolicy): string {
  const parts = Object.entries(PARTS)
    .filter(([, part]) =>
      Object.entries(part).every(
        ([name, value]) =>
          policy[name as keyof PolicyPart] === value && DEFAULT_BUCKET_POLICY[name as keyof PolicyPart] !== value,
      ),
    )
    .map(([text]) => text);
  return [policy.pattern, ...parts].join(':');
}
