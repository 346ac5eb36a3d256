import type { AskedPolicy } from '../../../../operations/bucket-policy.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { ParsedRequest } from '../../../front-dialect.ts';
import { policyVendorHeaders } from './header-rules.ts';
import { heldStatement, isRecord, malformedPolicy, speaksOfEncryption } from './policy-statement.ts';

/** The greatest size of a bucket's policy in S3. */
const MAX_BYTES = 20 * 1024;

/** Refuses invalid UTF-8, because what a decoder puts in its place would be another policy. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

const PARTS_OF_POLICY: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement']);

/** Reads a PutBucketPolicy, whose policy stands in its body. @throws GatewayError NotImplemented */
export function parsePutBucketPolicy(bucket: string, headers: HeaderList): ParsedRequest {
  const name = 'PutBucketPolicy';
  const vendor = policyVendorHeaders(headers, name);
  const read = (document: Buffer) => ({ kind: name, bucket, vendor, asked: readPolicy(bucket, document) }) as const;
  return { kind: 'document', name, bucket, maxBytes: MAX_BYTES, read };
}

/**
 * Shares a policy out: to the gateway the statements with conditions on what requests ask of encryption, to the store
 * the others. A policy without such statements is the store's alone, which judges its form too.
 * @throws GatewayError MalformedPolicy for a document that is none in S3 either; NotImplemented for a statement about
 *   encryption that the gateway cannot hold
 */
export function readPolicy(bucket: string, document: Buffer): AskedPolicy {
  const { text, policy } = parsed(document);
  const names = namesIn(text);
  const mentions = names.filter(speaksOfEncryption).length;
  if (mentions === 0) return { document, held: [], passed: document };
  if (!isRecord(policy)) throw malformedPolicy('A policy must be a JSON object.');
  checkForm(text, policy);
  const { Statement: said } = policy;
  const statements: readonly unknown[] = Array.isArray(said) ? said : [said];
  const held = statements.flatMap((statement, at) => heldStatement(statement, { at: at + 1, bucket }) ?? []);
  // A mention that is no condition of a held statement stands where nobody would look for it.
  if (held.reduce((sum, { conditions }) => sum + conditions.length, 0) !== mentions) {
    throw malformedPolicy(
      'The policy speaks of x-amz-server-side-encryption outside of the conditions of a statement.',
    );
  }
  const rest = statements.filter((statement) => !namesIn(JSON.stringify(statement)).some(speaksOfEncryption));
  const passed = rest.length === 0 ? undefined : Buffer.from(JSON.stringify({ ...policy, Statement: rest }));
  return { document, held, passed };
}

function parsed(document: Buffer): { readonly text: string; readonly policy: unknown } {
  try {
    const text = strictUtf8.decode(document);
    return { text, policy: JSON.parse(text) };
  } catch {
    throw malformedPolicy('Policies must be valid JSON and the first byte must be "{".');
  }
}

/** Matches the tokens of JSON that tell names from values; a string's content is captured where it is a name. */
const TOKENS = /"((?:[^"\\]|\\.)*)"(\s*:)?|[{}]/g;

/** Returns the names of all members in a JSON text, each as often as it stands there. */
function namesIn(text: string): string[] {
  const names: string[] = [];
  for (const [, content, colon] of text.matchAll(TOKENS)) {
    if (colon !== undefined) names.push(JSON.parse(`"${content}"`) as string);
  }
  return names;
}

/**
 * Checks the form of a policy of which the gateway holds statements. Gateway and store might read it differently where
 * a name stands twice, or where one is written as S3 does not write it.
 */
function checkForm(text: string, policy: Readonly<Record<string, unknown>>): void {
  const open: Set<string>[] = [];
  for (const [token, content, colon] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(`"${content}"`) as string;
      const names = open.at(-1);
      if (names?.has(name)) throw malformedPolicy(`The policy says ${shown(name)} twice in one place.`);
      names?.add(name);
    }
  }
  const unknown = Object.keys(policy).find((name) => !PARTS_OF_POLICY.has(name));
  if (unknown !== undefined) throw malformedPolicy(`Unknown field ${shown(unknown)}.`);
  const { Version: version } = policy;
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformedPolicy('The policy must contain a valid version string.');
  }
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
