import { GatewayError } from '../../errors.ts';
import type { ContentHeaders, MetadataEntry, ObjectRef } from '../../operations/object.ts';
import type { ObjectClient } from '../shell/object-client.ts';

/** What a client may say about an object beside its bytes. */
interface Described {
  readonly content: ContentHeaders;
  readonly user: readonly MetadataEntry[];
}

const PRINTABLE = String.fromCharCode(...Array.from({ length: 0x7e - 0x20 }, (_, at) => 0x21 + at)).replace(
  '=?',
  '= ?',
);

/** Metadata that lies in clear in the store (FORMAT.md §3.3), and that a store must keep as it is. */
const IN_CLEAR: Described = {
  content: {
    contentType: 'Text/Plain; charset="utf-8"; q=1',
    cacheControl: 'no-cache, max-age=0',
    contentDisposition: 'attachment; filename="a b.txt"',
    contentEncoding: 'gzip, br',
    contentLanguage: 'de, en',
    expires: 'Tue, 01 Jan 2030 00:00:00 GMT',
  },
  user: [
    ['a', 'A'],
    ['printable', PRINTABLE],
    ['name-of-several-words', 'a b c'],
    ['n'.repeat(128), '0'],
    ['mtime', '1700000000.123456789'],
    ['long', 'x'.repeat(1000)],
  ],
};

/** Metadata of which some store is known to drop, rename, rewrite or act on it. */
const AWKWARD: Described = {
  content: {
    contentType: 'text/plain;charset="\xc3\xa4"',
    cacheControl: 'no-cache,  max-age=0',
    contentDisposition: 'attachment; filename="gr\xc3\xbcn.txt"',
    contentLanguage: 'de,\ten',
    expires: 'never',
  },
  user: [
    ['x-amz-unencrypted-content-length', '1'],
    ['x-amz-iv', 'AA=='],
    ['x-minio-internal-compression', 'klauspost/compress/s2'],
    ['with_underscore', '1'],
    ['with.dot', '1'],
    ['empty', ''],
    ['blanks', 'a  b'],
    ['word', '=?UTF-8?Q?=C3=A4?='],
    ['bytes', 'gr\xfcn \xff'],
  ],
};

/** The most metadata that the gateway promises to take: the store must hold it beside the envelope. */
const LARGEST: Described = { content: {}, user: [['largest', 'x'.repeat(1742)]] };

/**
 * Writes metadata of all these forms through the gateway and reads it again.
 * @returns a sentence about what did not come back; undefined if all did
 */
export async function lostMetadata(client: ObjectClient, ref: ObjectRef): Promise<string | undefined> {
  for (const described of [IN_CLEAR, AWKWARD, LARGEST]) {
    const whole = await difference(client, ref, described);
    if (whole === undefined) continue;
    const lost: string[] = [];
    for (const [name, one] of each(described)) {
      const alone = await difference(client, ref, one);
      if (alone !== undefined) lost.push(`${name.slice(0, 64)} (${alone})`);
    }
    const which = lost.length === 0 ? `all of it together (${whole})` : lost.join(', ');
    return `the backend does not keep metadata as it was sent: ${which}`;
  }
  return undefined;
}

function each({ content, user }: Described): readonly (readonly [name: string, one: Described])[] {
  return [
    ...Object.entries(content).map(([name, value]) => [name, { content: { [name]: value }, user: [] }] as const),
    ...user.map((entry) => [entry[0], { content: {}, user: [entry] }] as const),
  ];
}

async function difference(client: ObjectClient, ref: ObjectRef, sent: Described): Promise<string | undefined> {
  try {
    await client.put(ref, Buffer.from('metadata'), sent);
    const { content, user } = (await client.get(ref)).object.metadata;
    const wanted = [...each(sent)];
    const got = new Map(each({ content, user }).map(([name, one]) => [name, JSON.stringify(one)]));
    const missing = wanted.filter(([name, one]) => got.get(name) !== JSON.stringify(one)).map(([name]) => name);
    const more = user.length - sent.user.length;
    if (missing.length > 0) return `${missing.join(', ').slice(0, 200)} came back otherwise`;
    return more > 0 ? `${more} names came back that nobody sent` : undefined;
  } catch (error) {
    if (error instanceof GatewayError) return `${error.code}`;
    throw error;
  }
}
