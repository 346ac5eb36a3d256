import { describe, expect, it, onTestFinished } from 'vitest';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { objectAttributes } from '../../../src/pipeline/read/attributes.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { BucketPolicy } from '../../../src/tenants/bucket-policy.ts';
import { payload } from '../../support/payload.ts';
import {
  type AskedOfStore,
  fieldOf,
  type Lie,
  type LyingProxy,
  refusing,
  startLyingProxy,
  type Told,
  withField,
} from '../../support/proxies/lying-proxy.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';

interface Stand {
  readonly here: InProcess;
  readonly proxy: LyingProxy;
}

async function start(): Promise<Stand> {
  const proxy = await startLyingProxy();
  onTestFinished(() => proxy.close());
  return { here: await inProcess({ proxy, backend: { retries: 0 } }), proxy };
}

/** What the store says of the object to a plain GET. */
async function toldOf({ here, proxy }: Stand, key: string): Promise<Told> {
  let seen: Told | undefined;
  proxy.tell((_asked, told) => {
    seen = told;
    return undefined;
  });
  await bodyOf(await getObject(getOf(key), here.context()));
  proxy.tell(undefined);
  return seen as Told;
}

const isGet = ({ method, target }: Pick<AskedOfStore, 'method' | 'target'>) =>
  method === 'GET' && target.startsWith(`/${BUCKET}/object`);

describe('an answer whose head and bytes are of two objects, because it was replaced at that moment', () => {
  /** Two objects of one size, the second of which lies there now. */
  async function replaced(bytes: number) {
    const stand = await start();
    const { here } = stand;
    const [before, after] = [payload(bytes, 1), payload(bytes, 2)];
    await putObject(putOf('object'), verifiedBody(before), here.context());
    const old = await toldOf(stand, 'object');
    await putObject(putOf('object'), verifiedBody(after), here.context());
    const now = await toldOf(stand, 'object');
    const fields = [
      'etag',
      'last-modified',
      ...old.headers.flatMap(([name]) => (/^x-amz-meta-/.test(name) ? [name] : [])),
    ];
    const withOld = (told: Told, names: readonly string[]) =>
      names.reduce((lie, name) => withField(lie, name, fieldOf(old, name) as string), told);
    /** The head of the object of before, and the bytes of the one that is there now. */
    const mixed: Lie = (_asked, told) => (told.status < 300 ? withOld(told, fields) : undefined);
    /** The same but for its ETag. */
    const mixedHead: Lie = (_asked, told) =>
      told.status < 300
        ? withOld(
            told,
            fields.filter((name) => name !== 'etag'),
          )
        : undefined;
    return { ...stand, after, mixed, mixedHead, old, now };
  }

  const once =
    (lie: Lie): Lie =>
    (asked, told) =>
      asked.nth === 1 ? lie(asked, told) : undefined;

  it.each([
    ['of no byte', 0],
    ['that is read whole', 1000],
    ['that fails at its first bytes', 300_000],
  ])('is asked for again: an object %s', async (_what, bytes) => {
    const { here, proxy, after, mixed, mixedHead } = await replaced(bytes);
    for (const lie of [mixed, mixedHead]) {
      proxy.tell(once(lie), isGet);
      expect((await bodyOf(await getObject(getOf('object'), here.context()))).equals(after)).toBe(true);
      expect(proxy.lies).toBe(1);
    }
    expect(here.handling.memory.reservedBytes).toBe(0);
  });

  it('is asked for again for a range, and for a copy that is opened', async () => {
    const { here, proxy, after, mixed } = await replaced(300_000);
    const range = { kind: 'from', first: 70_000, last: 200_000 } as const;
    proxy.tell(once(mixed), isGet);
    const content = await getObject(getOf('object', { range }), here.context());
    expect((await bodyOf(content)).equals(after.subarray(70_000, 200_001))).toBe(true);
    // Another quantum has another size: its bytes come through the gateway.
    proxy.tell(once(mixed), isGet);
    await copyObject(copyOf(`${BUCKET}/object`, 'copy'), here.context({ quantum: 1 }));
    expect(proxy.lies).toBe(1);
    expect((await bodyOf(await getObject(getOf('copy'), here.context()))).equals(after)).toBe(true);
  });

  it('is a temporary error where it never ends', async () => {
    for (const bytes of [1000, 300_000]) {
      const { here, proxy, mixed } = await replaced(bytes);
      proxy.tell(mixed, isGet);
      expect(await refusalOf(getObject(getOf('object'), here.context()))).toBe('SlowDown');
      expect(proxy.lies).toBe(3);
      expect(here.handling.memory.reservedBytes).toBe(0);
    }
  });

  it('is a corrupted object where the store, asked again, says the same of it', async () => {
    for (const bytes of [1000, 300_000]) {
      const { here, proxy, mixed } = await replaced(bytes);
      proxy.tell(mixed);
      expect(await refusalOf(getObject(getOf('object'), here.context()))).toBe('ObjectCorrupted');
      // And where nobody can ask: what was seen stands.
      proxy.tell((asked, told) =>
        asked.method === 'HEAD' ? refusing(503, 'ServiceUnavailable')(asked, told) : mixed(asked, told),
      );
      expect(await refusalOf(getObject(getOf('object'), here.context()))).toBe('ObjectCorrupted');
    }
  });

  it('does not make HEAD and GetObjectAttributes call the object corrupted either', async () => {
    const { here, proxy, old } = await replaced(1000);
    const envelope = old.headers.find(([name]) => name === 'x-amz-meta-sx1') as readonly [string, string];
    // The size of one, the envelope of the other.
    const lie: Lie = (_asked, told) => withField(withField(told, ...envelope), 'content-length', '99999');
    const isHead = ({ method }: Pick<AskedOfStore, 'method'>) => method === 'HEAD';
    proxy.tell(once(lie), isHead);
    expect((await headObject(headOf('object'), here.context())).facts.plaintextBytes).toBe(1000);
    expect(proxy.lies).toBe(1);
    proxy.tell(once(lie), isHead);
    const attributes = new Set(['size'] as const);
    const asked = { kind: 'GetObjectAttributes', attributes, maxParts: 1, partNumberMarker: 0 } as const;
    const { facts } = await objectAttributes({ ...asked, ref: { bucket: BUCKET, key: 'object' } }, here.context());
    expect(facts.plaintextBytes).toBe(1000);
    expect(proxy.lies).toBe(1);
  });
});

describe('a store that finds no version `null` by HEAD', () => {
  /** As Versity S3 Gateway 1.8 does it where there is no versioning. */
  async function unversioned(policy: Partial<BucketPolicy> = {}) {
    const stand = await start();
    const { here, proxy } = stand;
    const { etag } = await putObject(putOf('object'), verifiedBody(payload(1000, 1)), here.context(policy));
    const truth = await toldOf(stand, 'object');
    proxy.tell(
      (asked, told) => {
        if (asked.method === 'HEAD') return refusing(404, 'NoSuchKey')(asked, told);
        if (asked.headers['if-match'] !== undefined && asked.headers['if-match'] !== fieldOf(truth, 'etag'))
          return refusing(412, 'PreconditionFailed')(asked, told);
        return truth;
      },
      ({ target }) => target === `/${BUCKET}/object?versionId=null`,
    );
    return { ...stand, etag, ref: { bucket: BUCKET, key: 'object', versionId: 'null' } };
  }

  it('is held to the conditions of a GET of it all the same', async () => {
    for (const policy of [{}, { etag: 'md5' }] as const) {
      const { here, etag, ref } = await unversioned(policy);
      const under = (conditions: object) =>
        refusalOf(getObject(getOf('object', { ref, conditions }), here.context(policy)).then(bodyOf));
      expect(await under({ ifMatch: '"other"' })).toBe('PreconditionFailed');
      expect(await under({ ifMatch: `"${etag}"` })).toBe('none');
      expect(await under({ ifNoneMatch: `W/"${etag}"` })).toBe('NotModified');
    }
  });

  it('has its head read by a GET', async () => {
    const { here, ref } = await unversioned();
    expect((await headObject(headOf('object', { ref }), here.context())).facts.plaintextBytes).toBe(1000);
    const absent = { ...ref, key: 'absent' };
    expect(await refusalOf(headObject(headOf('absent', { ref: absent }), here.context()))).toBe('NoSuchKey');
    expect(await refusalOf(headObject(headOf('object', { ref: { ...ref, versionId: 'v' } }), here.context()))).not.toBe(
      'none',
    );
  });
});
