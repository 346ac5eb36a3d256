import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SETTING_ROWS } from '../src/settings/rows.ts';
import {
  findCycle,
  findImports,
  type Room,
  readRooms,
  readSources,
  resolveImport,
  roomOf,
  type SourceFile,
  withoutComments,
} from './support/imports.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (name: string) => readFile(join(ROOT, name), 'utf8');

const sources = await readSources(ROOT);
const rooms = readRooms(await read('docs/architecture.md'));
const manifest = JSON.parse(await read('package.json')) as { dependencies: Record<string, string>; imports?: unknown };

/** Who may name `process`, and why. */
const TOUCHES_PROCESS: Readonly<Record<string, string>> = {
  'src/main.ts': 'hands environment, arguments, streams and signals to the rest',
  'src/launch.js': 'runs on any node: tells an old one from a good one before main.ts is loaded',
  'src/backend/withheld-warning.ts': 'keeps one deprecation of a package from being told',
};

const MAX_FILE_LINES = 300;
const MAX_FOLDER_FILES = 20;
/** Folders with more files at one level, and why. */
const LARGE_FOLDERS: Readonly<Record<string, string>> = {
  'src/devstore': 'the embedded store is for trying and for tests, and one thing',
  'src/envelope': 'a file for each part of the format that FORMAT.md, beside them, describes',
};

/** Every breach that `judge` finds, as lines that name the file. */
function breaches(judge: (file: SourceFile) => readonly string[]): string[] {
  return sources.flatMap((file) => judge(file).map((breach) => `${file.path}: ${breach}`));
}

/** Parts sorted paths: those in the folder of a format, whichever there are, and all others. */
function partedByFolderOfFormats(paths: readonly string[]): readonly [ofFormats: string[], others: string[]] {
  const isOfFormat = (path: string) => /^src\/formats\/[^/]+\//.test(path);
  const sorted = [...paths].sort();
  return [sorted.filter(isOfFormat), sorted.filter((path) => !isOfFormat(path))];
}

describe('rooms, as docs/architecture.md says', () => {
  test('every room has files, and every file has a room', () => {
    const inhabited = new Set(sources.map(({ path }) => roomOf(path, rooms)));
    expect([...rooms.keys()].filter((name) => !inhabited.has(name))).toEqual([]);
    expect(breaches(({ path }) => (roomOf(path, rooms) === undefined ? ['is in no room of the table'] : []))).toEqual(
      [],
    );
  });

  test('import whom the table lets them', () => {
    expect(
      breaches(({ path, imports }) => {
        const name = roomOf(path, rooms);
        return imports.flatMap((specifier) => {
          const target = resolveImport(path, specifier);
          const theirs = target === undefined ? undefined : roomOf(target, rooms);
          if (name === undefined || theirs === undefined || theirs === name) return [];
          return rooms.get(name)?.mayImport.has(theirs) ? [] : [`${name} may not import ${theirs} (${specifier})`];
        });
      }),
    ).toEqual([]);
  });

  test('held to certain modules from outside import no other', () => {
    expect(
      breaches(({ path, imports }) => {
        const allowed = rooms.get(roomOf(path, rooms) ?? '')?.outside;
        return imports
          .filter((specifier) => resolveImport(path, specifier) === undefined && allowed?.has(specifier) === false)
          .map((specifier) => `the table does not name ${specifier}`);
      }),
    ).toEqual([]);
  });
});

describe('sizes', () => {
  test('a file has at most 300 lines', () => {
    const long = sources.filter(({ lines }) => lines > MAX_FILE_LINES);
    expect(long.map(({ path, lines }) => `${path}: ${lines} lines`)).toEqual([]);
  });

  test('a comment is at most as wide as a line of code', () => {
    expect(
      breaches(({ wideComments }) => wideComments.map((line) => `the comment in line ${line} is too wide`)),
    ).toEqual([]);
  });

  test('a folder has at most 20 files at one level, but for those that have a reason', () => {
    const counts = new Map<string, number>();
    for (const { path } of sources) {
      const folder = posix.dirname(path);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    const large = [...counts].filter(([, count]) => count > MAX_FOLDER_FILES).map(([folder]) => folder);
    expect(large.filter((folder) => !(folder in LARGE_FOLDERS))).toEqual([]);
    expect(Object.keys(LARGE_FOLDERS).filter((folder) => !large.includes(folder))).toEqual([]);
  });
});

describe('files', () => {
  const known = new Set(sources.map(({ path }) => path));

  test('import files of src that exist, and no test', () => {
    expect(
      breaches(({ path, imports }) =>
        imports
          .map((specifier) => resolveImport(path, specifier))
          .filter((target) => target !== undefined && !known.has(target))
          .map((target) => `imports ${target}`),
      ),
    ).toEqual([]);
  });

  test('import no path alias, and no package that is only there for development', async () => {
    const isPackage = (specifier: string) =>
      isBuiltin(specifier) || (/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? '') in manifest.dependencies;
    expect(
      breaches(({ path, imports }) =>
        imports
          .filter((specifier) => resolveImport(path, specifier) === undefined && !isPackage(specifier))
          .map((specifier) => `imports ${specifier}`),
      ),
    ).toEqual([]);
    expect(manifest.imports).toBeUndefined();
    expect(JSON.parse(await read('tsconfig.json')).compilerOptions.paths).toBeUndefined();
  });

  test('do not import each other in a circle', () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [
        path,
        imports.map((specifier) => resolveImport(path, specifier)).filter((target) => target !== undefined),
      ]),
    );
    expect(findCycle(graph)?.join(' → ')).toBeUndefined();
  });

  test('are no barrels and no drawers for odds and ends', () => {
    expect(
      breaches(({ path }) =>
        /(?:^|\/)(?:index|utils?|helpers?|common|misc|shared)(?:\.|\/)/.test(path) ? ['name it after what it is'] : [],
      ),
    ).toEqual([]);
  });

  test('export by name only', () => {
    expect(
      breaches(({ code }) => (/^\s*export\s+default\b|\bas\s+default\b/m.test(code) ? ['has a default export'] : [])),
    ).toEqual([]);
  });

  test('have identifiers for a store made by its grammar, and by nothing else', () => {
    const forged =
      /\bas\s+(?:unknown\s+as\s+)?(?:Store(?:Bucket|Key|VersionId|UploadId|ListingText|Token|Location|Ref)\b|ForStore<)/;
    const grammars = breaches(({ code }) => (forged.test(code) ? ['makes one'] : []));
    expect(grammars).toEqual([expect.stringContaining('src/dialects/identifiers.ts')]);
    const proofs = breaches(({ code }) =>
      /ProvenUpload\.(?:created|ofState|listed)\(/.test(code) ? ['proves one'] : [],
    );
    expect(proofs.map((breach) => breach.split(' ')[0]?.replace(/:$/, '')).sort()).toEqual([
      'src/pipeline/upload/state.ts',
      'src/store/known-uploads.ts',
      'src/store/uploads.ts',
    ]);
  });

  test('call a claim proven only where it is: by envelope, footer or policy, or in the store itself', () => {
    const proves = sources.filter(
      ({ path, code }) => path !== 'src/errors.ts' && /\bproven\(|\bas\s+Proven\b|\bas\s+Proof\b/.test(code),
    );
    const [ofFormats, others] = partedByFolderOfFormats(proves.map(({ path }) => path));
    expect(others).toEqual(['src/devstore/copies.ts', 'src/devstore/objects.ts', 'src/devstore/preconditions.ts']);
    expect(ofFormats.filter((path) => /\/(?:plain|sx1)\//.test(path))).toEqual([
      'src/formats/plain/format.ts',
      'src/formats/plain/plain-object.ts',
      'src/formats/sx1/format.ts',
      'src/formats/sx1/sealed-object.ts',
    ]);
    // Nobody brings a conclusive code past its proof.
    expect(
      breaches(({ code }) =>
        /\bas\s+InconclusiveCode\b|super\(code\s+as\s+never\b/.test(code) ? ['casts a code'] : [],
      ),
    ).toEqual(['src/errors.ts: casts a code']);
  });

  test('leave the process to those who have a reason', () => {
    const touches = (code: string) =>
      /(?<![\w.'"`-])process(?:\.[a-z]|\[)|globalThis\.process|=\s*process\s*;|['"](?:node:)?process['"]/i.test(code);
    expect(
      breaches(({ path, code }) => (touches(code) && !(path in TOUCHES_PROCESS) ? ['names process'] : [])),
    ).toEqual([]);
    expect(Object.keys(TOUCHES_PROCESS).filter((path) => !known.has(path))).toEqual([]);
  });
});

describe('src/pipeline composes, and decides nothing that has a name', () => {
  /** A vendor, a store, a format, and the policy's word for which format. */
  const NAMES = ['s3', 'oss', 'cos', 'qingstor', 'x-amz', 'minio', 'ceph', 'versitygw', 'sx1', 'protection'];
  const NAMED = new RegExp(`(?<![a-z0-9])(?:${NAMES.join('|')})(?![a-z0-9])`, 'gi');
  /** Files that still name one, and which. The list only shrinks. */
  const STILL_NAMED: Readonly<Record<string, readonly string[]>> = {};

  test('so it names no vendor, no store and no format, in code or in messages', () => {
    const named = sources
      .filter(({ path }) => path.startsWith('src/pipeline/'))
      .map(({ path, code }) => [path, [...new Set(code.match(NAMED)?.map((name) => name.toLowerCase()))]] as const)
      .filter(([, names]) => names.length > 0);
    expect(Object.fromEntries(named)).toEqual(STILL_NAMED);
    expect('dialects/s3/back, `x-amz-tagging`, policy.protection, MinIO'.match(NAMED)).toHaveLength(4);
  });

  test('and imports nothing of a format’s own: neither its folder nor its envelope', () => {
    const formats = /^src\/(?:envelope|formats\/[^/]+)\//;
    expect(
      breaches(({ path, imports }) =>
        path.startsWith('src/pipeline/')
          ? imports.filter((specifier) => formats.test(resolveImport(path, specifier) ?? ''))
          : [],
      ),
    ).toEqual([]);
  });
});

describe('a policy’s word for how objects are kept', () => {
  test('is read where it is set and shown, in the rows of formats, and by the one file that chooses among them', () => {
    const reads = /\bprotection\s*[=!]==|\.protection\b|[{,]\s*protection\s*[,:}]/;
    const readers = sources.filter(({ code }) => reads.test(code)).map(({ path }) => path);
    const [ofFormats, others] = partedByFolderOfFormats(readers);
    expect(ofFormats.filter((path) => !path.endsWith('/row.ts'))).toEqual([]);
    expect(others).toEqual([
      'src/cli/check/probe.ts',
      'src/cli/tenant/bucket-option.ts',
      'src/encryption/policy.ts',
      'src/formats/protection.ts',
      'src/formats/table.ts',
      'src/tenants/bucket-policy.ts',
      'src/tenants/rules/decision.ts',
      'src/tenants/rules/rule.ts',
      'src/tenants/tenant.ts',
    ]);
  });
});

describe('settings', () => {
  test('are each read by somebody, but for the one whose meaning says that it has no effect', () => {
    const readers = sources
      .filter(
        ({ path }) =>
          !path.endsWith('/settings.ts') && (!path.startsWith('src/settings/') || path === 'src/settings/config.ts'),
      )
      .map(({ code }) => code);
    const unread = SETTING_ROWS.filter(({ name }) => {
      const word = new RegExp(`\\b${name.slice(name.lastIndexOf('.') + 1)}\\b(?!\\()`);
      return !readers.some((code) => word.test(code));
    });
    expect(unread.map(({ name }) => name)).toEqual(['limits.documentBytes']);
  });
});

describe('the reader of these rules', () => {
  test('finds every form of import, and none in a comment', () => {
    const text = `import { a } from './a.ts';
import type { B } from "./b.ts";
import {
  c,
  d,
} from './c.ts';
import './d.ts';
export * from './e.ts';
export { f } from './f.ts';
const g = await import('./g.ts'); // import './no.ts';
type H = import('./h.ts').H;
/* import './no.ts'; */
/**
 * import './no.ts';
 */
export const text = "from './no.ts'", url = 'https://example.com';
`;
    expect(
      findImports(withoutComments(text))
        .map((name) => name.slice(2, -3))
        .sort(),
    ).toEqual([...'abcdefgh']);
    expect(withoutComments(text)).toContain('https://example.com');
  });

  test('reads the table, and refuses a room that is none', () => {
    const table = (rule: string) =>
      `x\n\n| room | purpose | may import |\n|---|---|---|\n| \`src/main.ts\`, \`src/set-*.ts\` | p | everything; nobody imports them |\n| \`src/errors.ts\` | p | nothing |\n| \`src/wire/\` | p | ${rule} |\n\ny`;
    const read = readRooms(table('errors, node:crypto'));
    expect(read.get('wire')).toEqual<Room>({
      paths: ['src/wire/'],
      mayImport: new Set(['errors']),
      outside: new Set(['node:crypto']),
    });
    expect(readRooms(table('all above')).get('wire')?.mayImport).toEqual(new Set(['errors']));
    expect(
      ['src/main.ts', 'src/set-a.ts', 'src/errors.ts', 'src/wire/a/b.ts', 'src/x.ts'].map((path) => roomOf(path, read)),
    ).toEqual(['top', 'top', 'errors', 'wire', undefined]);
    expect(() => readRooms(table('erors'))).toThrow('"erors", which is no room');
    expect(() => readRooms('nothing here')).toThrow('has no table');
  });

  test('finds a circle, also behind a straight way in', () => {
    const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));
    expect(findCycle(graph({ a: ['b', 'c'], b: ['c'], c: [] }))).toBeUndefined();
    expect(findCycle(graph({ a: ['b'], b: ['c'], c: ['d'], d: ['b'] }))).toEqual(['b', 'c', 'd', 'b']);
  });
});
