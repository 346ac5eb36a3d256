import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/commands.ts';
import type { Terminal } from '../../../src/cli/shell/terminal.ts';
import { openStores } from '../../../src/gateway/open-stores.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import { policyFor } from '../../../src/tenants/tenant.ts';
import { temporaryDirectory } from '../../keys/fixture.ts';

/** The commands as a person or a script calls them, in this process, over a key store in a file. */

const CONFIG = 'backend: { directory: objects }\nkeys: { root: { env: KEY }, store: { file: keys.json } }\n';
const env = { KEY: Buffer.alloc(32, 9).toString('base64') };

let folder: string;

interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly questions: readonly string[];
}

/** @param answer what a person types; without one nobody is there */
async function call(args: readonly string[], answer?: string): Promise<Called> {
  const out: string[] = [];
  const err: string[] = [];
  const questions: string[] = [];
  const terminal: Terminal = {
    env,
    cwd: folder,
    interactive: answer !== undefined,
    print: (text) => void out.push(text),
    warn: (text) => void err.push(text),
    write: () => Promise.reject(new Error('no bytes')),
    ask: async (question) => {
      questions.push(question);
      return answer ?? '';
    },
    stop: new AbortController().signal,
    onReload: () => undefined,
    onExit: () => undefined,
    now: () => new Date(),
    program: 'sealgate',
  };
  const code = await runCommandLine([...args, '--config', join(folder, 'sealgate.yaml')], terminal);
  return { code, out: out.join('\n'), err: err.join('\n'), questions };
}

async function json<T>(args: readonly string[]): Promise<T> {
  const { code, out, err } = await call([...args, '--json']);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as T;
}

interface Explained {
  readonly verdict: string;
  readonly fields: readonly string[];
  readonly reasons: readonly string[];
  readonly bucketPolicy: readonly string[];
  readonly inForce: Readonly<
    Record<string, { value: unknown; source: string; file: string | null; line: number | null }>
  >;
}

const explain = (bucket: string, op: string, tenant = 'acme') =>
  json<Explained>(['policy', 'explain', '--tenant', tenant, '--bucket', bucket, '--op', op]);

async function policy(text: string, name = 'pay.yaml') {
  await writeFile(join(folder, name), text);
}

beforeEach(async () => {
  folder = await temporaryDirectory();
  await writeFile(join(folder, 'sealgate.yaml'), CONFIG);
  expect((await call(['tenant', 'add', 'acme', '--bucket', 'pay-*', '--bucket', 'old-*:etag=md5:mixed'])).code).toBe(0);
  expect((await call(['tenant', 'add', 'beta', '--bucket', 'beta-*'])).code).toBe(0);
});

const FIRST = `rules:
  - { tenant: acme, bucket: "pay-*", require: kms, keys: [cards], networks: [10.0.0.0/8], minTls: "1.3" }
  - { tenant: acme, bucket: "pay-archive", readOnly: true }
  - { tenant: beta, bucket: "*", etag: md5 }
`;

describe('policy apply', () => {
  it('shows the difference first, asks, and puts the rules in force', async () => {
    await policy(FIRST);
    const applied = await call(['policy', 'apply', 'pay.yaml'], 'y');
    expect(applied).toMatchObject({ code: 0, err: '', questions: ['Apply 2 tenants? [y/N] '] });
    expect(applied.out.split('\n')).toEqual([
      'tenant acme',
      '  + pay-*  require=kms keys=cards minTls=1.3 networks=10.0.0.0/8  (pay.yaml:2:5)',
      '  + pay-archive  readOnly=true  (pay.yaml:3:5)',
      'tenant beta',
      '  + *  etag=md5  (pay.yaml:4:5)',
      'Applied: in force within a second, for 2 tenants.',
    ]);
    await policy(
      FIRST.replace('readOnly: true', 'readOnly: false')
        .replace(/.*beta.*\n/, '')
        .replace('pay-*', 'pay-a*'),
    );
    const again = await call(['policy', 'apply', 'pay.yaml', '--yes']);
    expect(again.out.split('\n')).toEqual([
      'tenant acme',
      '  - pay-*  require=kms keys=cards minTls=1.3 networks=10.0.0.0/8  (pay.yaml:2:5)',
      '  + pay-a*  require=kms keys=cards minTls=1.3 networks=10.0.0.0/8  (pay.yaml:2:5)',
      '  ~ pay-archive  readOnly: true → false  (pay.yaml:3:5)',
      'tenant beta',
      '  - *  etag=md5  (pay.yaml:4:5)',
      'Applied: in force within a second, for 2 tenants.',
    ]);
  });

  it('changes nothing with --dry-run, where the answer is no, and where nobody can answer', async () => {
    await policy(FIRST);
    const dry = await call(['policy', 'apply', 'pay.yaml', '--dry-run']);
    expect(dry.code).toBe(0);
    expect(dry.out).toContain('+ pay-archive  readOnly=true');
    expect(dry.out).toContain('Nothing was changed (--dry-run).');
    const refused = await call(['policy', 'apply', 'pay.yaml'], 'n');
    expect([refused.code, refused.err]).toEqual([1, '✖ Nothing was changed.']);
    const unasked = await call(['policy', 'apply', 'pay.yaml']);
    expect(unasked.code).toBe(1);
    expect(unasked.err).toContain('Nobody is here to answer: repeat it with --yes.');
    expect(unasked.out).toContain('+ pay-archive  readOnly=true');
    expect(await json(['policy', 'show', '--tenant', 'beta'])).toEqual([]);
  });

  it('refuses a file as a whole, and names everything that is wrong with it', async () => {
    await policy(FIRST);
    await call(['policy', 'apply', 'pay.yaml', '--yes']);
    await policy(
      `${FIRST.replace('readOnly: true', 'readOnly: false')}  - { tenant: acmee, bucket: a, readOnly: true }
  - { tenant: acme, bucket: "pay-*", require: managed }
  - { tenant: acme, bucket: "old-*", plaintextReads: refuse }
`,
      'bad.yaml',
    );
    const refused = await call(['policy', 'apply', 'bad.yaml', '--yes']);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err.split('\n')).toEqual([
      '✖ The policy has 3 problems; nothing was changed:',
      '  bad.yaml:5:5: There is no tenant "acmee". Did you mean acme?',
      '  bad.yaml:6:5: the rule for pay-* ties with the rule for pay-* in bad.yaml:2:5: both say require, and neither is ' +
        'more specific.',
      '  bad.yaml:7:5: the rule for old-* ties with the tenant’s own option --bucket old-* (tenant set): both say ' +
        'plaintextReads, and neither is more specific.',
    ]);
    expect((await explain('pay-archive', 'PutObject')).verdict).toBe('refused');
    expect((await call(['policy', 'apply', 'absent.yaml'])).err).toBe(
      '✖ The file absent.yaml cannot be read (ENOENT).',
    );
  });

  it('asks nobody where only the places of rules have changed, and tells the new ones', async () => {
    await policy(FIRST);
    await call(['policy', 'apply', 'pay.yaml', '--yes']);
    await policy(FIRST.replace('rules:\n', 'rules:\n\n  # Auditors read this.\n'));
    const moved = await call(['policy', 'apply', 'pay.yaml']);
    expect([moved.code, moved.out]).toEqual([0, 'The rules in force say the same.']);
    expect((await explain('pay-archive', 'PutObject')).inForce.readOnly).toMatchObject({ line: 5 });
    const same = await call(['policy', 'apply', 'pay.yaml']);
    expect([same.code, same.out]).toEqual([0, 'The rules in force say the same.']);
  });

  it('is what gateways over the store find', async () => {
    await policy(FIRST);
    await call(['policy', 'apply', 'pay.yaml', '--yes']);
    const stores = await openStores(loadConfig({ file: join(folder, 'sealgate.yaml'), env, cwd: folder }));
    const owner = await stores.directory.owner('beta-x');
    expect(policyFor(owner!, 'beta-x')?.etag).toBe('md5');
    await stores.close();
  });
});

describe('customer-key', () => {
  it('registers keys of files, lists their fingerprints, and forgets them', async () => {
    const key = Buffer.alloc(32, 5);
    const mode = 0o600;
    await writeFile(join(folder, 'raw.key'), key, { mode });
    await writeFile(join(folder, 'text.key'), `${key.toString('base64')}\n`, { mode });
    await writeFile(join(folder, 'short.key'), 'short', { mode });
    const raw = await json<{ fingerprint: string }>(['customer-key', 'add', 'acme', '--key-file', 'raw.key']);
    const added = await call(['customer-key', 'add', 'acme', '--key-file', 'text.key', '--label', 'cards']);
    expect([added.code, added.out]).toEqual([0, `Registered for tenant acme: ${raw.fingerprint}.`]);
    expect(await json(['customer-key', 'list', 'acme'])).toMatchObject([{ fingerprint: raw.fingerprint, label: '' }]);
    expect((await call(['customer-key', 'list', 'acme'])).out).toContain(raw.fingerprint);
    expect((await call(['customer-key', 'remove', 'acme', raw.fingerprint])).code).toBe(0);
    expect((await call(['customer-key', 'list', 'acme'])).out).toBe('Tenant acme has registered no customer keys.');
    const short = await call(['customer-key', 'add', 'acme', '--key-file', 'short.key']);
    expect([short.code, short.err]).toEqual([1, '✖ The key file short.key holds neither 32 bytes nor their base64.']);
  });

  it('takes no key of a file that everybody can use', async () => {
    for (const mode of [0o604, 0o602, 0o601, 0o666]) {
      await writeFile(join(folder, 'open.key'), Buffer.alloc(32, 6));
      await chmod(join(folder, 'open.key'), mode);
      const { code, err } = await call(['customer-key', 'add', 'acme', '--key-file', 'open.key']);
      expect([code, err]).toEqual([1, expect.stringContaining('The key file open.key can be used by everybody')]);
    }
    expect((await call(['customer-key', 'list', 'acme'])).out).toBe('Tenant acme has registered no customer keys.');
  });
});

describe('policy show', () => {
  it('shows rules of files and options of tenants', async () => {
    await policy(FIRST);
    await call(['policy', 'apply', 'pay.yaml', '--yes']);
    expect((await call(['policy', 'show'])).out.split('\n')).toEqual([
      'TENANT  BUCKET       RULE                                                   FROM',
      'acme    old-*        plaintextReads=allow etag=md5                          tenant option --bucket old-*',
      'acme    pay-*        require=kms keys=cards minTls=1.3 networks=10.0.0.0/8  pay.yaml:2:5',
      'acme    pay-archive  readOnly=true                                          pay.yaml:3:5',
      'beta    *            etag=md5                                               pay.yaml:4:5',
    ]);
    expect(await json(['policy', 'show', '--tenant', 'acme'])).toEqual([
      {
        tenant: 'acme',
        bucket: 'old-*',
        plaintextReads: 'allow',
        etag: 'md5',
        source: 'option',
        file: null,
        line: null,
        column: null,
      },
      {
        tenant: 'acme',
        bucket: 'pay-*',
        require: 'kms',
        keys: ['cards'],
        minTls: '1.3',
        networks: ['10.0.0.0/8'],
        source: 'file',
        file: 'pay.yaml',
        line: 2,
        column: 5,
      },
      { tenant: 'acme', bucket: 'pay-archive', readOnly: true, source: 'file', file: 'pay.yaml', line: 3, column: 5 },
    ]);
    expect((await call(['policy', 'show', '--tenant', 'nobody'])).err).toBe('✖ There is no tenant nobody.');
  });
});

describe('policy explain', () => {
  beforeEach(async () => {
    await policy(FIRST);
    await call(['policy', 'apply', 'pay.yaml', '--yes']);
  });

  it('says what holds, and which rule, line and file it comes from', async () => {
    const { verdict, fields, inForce } = await explain('pay-archive', 'PutObject');
    expect([verdict, fields]).toEqual(['refused', ['readOnly']]);
    const place = { source: 'file', file: 'pay.yaml', column: 5 };
    expect(inForce).toMatchObject({
      readOnly: { value: true, ...place, bucket: 'pay-archive', line: 3 },
      require: { value: 'kms', ...place, bucket: 'pay-*', line: 2 },
      networks: { value: ['10.0.0.0/8'], ...place, line: 2 },
      protection: { value: 'seal', source: 'default', file: null, line: null },
      keys: { value: ['cards'] },
      dialects: { value: null },
    });
    expect((await explain('old-a', 'GetObject')).inForce.etag).toEqual({
      value: 'md5',
      source: 'option',
      bucket: 'old-*',
      file: null,
      line: null,
      column: null,
    });
  });

  it.each([
    ['pay-archive', 'GetObject', 'depends', ['networks', 'minTls']],
    ['pay-archive', 'PutBucketTagging', 'refused', ['readOnly']],
    ['pay-archive', 'GetBucketTagging', 'depends', ['networks', 'minTls']],
    ['pay-a', 'PutObject', 'depends', ['networks', 'minTls', 'require', 'keys']],
    ['pay-a', 'UploadPart', 'depends', ['networks', 'minTls']],
    ['old-a', 'PutObject', 'allowed', []],
    ['beta-a', 'GetObject', 'refused', []],
    ['old-a', 'SelectObjectContent', 'refused', []],
  ])('in %s, %s: %s', async (bucket, op, verdict, fields) => {
    expect(await explain(bucket, op)).toMatchObject({ verdict, fields });
  });

  it('names what the bucket’s own policy has about the operation', async () => {
    const statement = (name: string, ...actions: string[]) =>
      ({
        name,
        actions,
        resources: ['old-a/*'],
        conditions: [{ key: 'method', operator: 'Null', values: ['true'] }],
      }) as const;
    const policy = {
      document: '{}',
      statements: [
        statement('Writes', 's3:PutObject'),
        statement('All', 'S3:*'),
        statement('Tags', 's3:*Tagging', 's3:PutObject'),
      ],
      ...{ passes: false, former: [], change: undefined },
    };
    const stores = await openStores(loadConfig({ file: join(folder, 'sealgate.yaml'), env, cwd: folder }));
    const { tenant } = (await stores.rules.read()).find((each) => each.tenant.name === 'acme') ?? {};
    const unset = { form: 'managed', keyId: undefined, bucketKey: false, customerKeys: undefined } as const;
    await stores.bucketDefaults.change({ name: 'acme', id: tenant?.id ?? '' }, 'old-a', () => {
      return { ...unset, bucket: 'old-a', made: undefined, setAt: new Date(), policy };
    });
    await stores.close();
    for (const [op, bucketPolicy] of [
      ['PutObject', ['Writes', 'All', 'Tags']],
      ['GetObject', ['All']],
      ['ListObjectsV2', ['All']],
      ['DeleteObjects', ['All']],
      ['PutObjectTagging', ['All', 'Tags']],
    ] as const) {
      expect(await explain('old-a', op)).toMatchObject({ verdict: 'depends', fields: [], bucketPolicy });
    }
    expect(await explain('old-a', 'PutBucketPolicy')).toMatchObject({ verdict: 'allowed', bucketPolicy: [] });
    expect(await explain('old-b', 'PutObject')).toMatchObject({ verdict: 'allowed', bucketPolicy: [] });
    const args = ['policy', 'explain', '--tenant', 'acme', '--bucket', 'old-a', '--op', 'GetObject'];
    expect((await call(args)).out).toContain('  The statement All of the bucket’s own policy must not deny it');
  });

  it('says it to people', async () => {
    const args = ['policy', 'explain', '--tenant', 'acme', '--bucket', 'pay-archive', '--op', 'DeleteObject'];
    const lines = (await call(args)).out.split('\n');
    expect(lines.slice(0, 4)).toEqual([
      'DeleteObject in pay-archive, for tenant acme: refused.',
      '  The bucket is read-only, and the operation changes something.',
      '',
      'FIELD           VALUE       BUCKET       FROM',
    ]);
    expect(lines).toContain('readOnly        true        pay-archive  pay.yaml:3:5');
  });

  it.each([
    [['--tenant', 'acme', '--bucket', 'pay-a'], 2, '--op is missing.'],
    [['--tenant', 'acme', '--bucket', 'pay-a', '--op', 'PutObjekt'], 2, 'Did you mean PutObject?'],
    [['--tenant', 'acm', '--bucket', 'pay-a', '--op', 'PutObject'], 1, 'There is no tenant acm. Did you mean acme?'],
  ])('%j: exit code %d', async (args, code, text) => {
    const called = await call(['policy', 'explain', ...args]);
    expect(called.code).toBe(code);
    expect(called.err).toContain(text);
  });
});
