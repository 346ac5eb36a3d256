import { isIP } from 'node:net';
import { Secret } from '../../secret.ts';
import type { Form } from './setting.ts';

/** An address to listen on. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Any text that is not empty. A number in YAML is read as its text, for instance a key id that has only digits. */
export function text(expected = 'text'): Form<string> {
  return { expected, read: (value) => readText(value) };
}

/** A text that matches the pattern; `expected` describes it in messages. */
export function matching(pattern: RegExp, expected: string): Form<string> {
  return {
    expected,
    read: (value) => {
      const read = readText(value);
      return read !== undefined && pattern.test(read) ? read : undefined;
    },
  };
}

export function choice<const T extends string>(...names: readonly T[]): Form<T> {
  return { expected: `one of ${names.join(', ')}`, read: (value) => names.find((name) => name === value) };
}

export function integer(bounds: { readonly min: number; readonly max: number }): Form<number> {
  return {
    expected: `a whole number from ${bounds.min} to ${bounds.max}`,
    read: (value) => {
      const read = readNumber(value);
      return read !== undefined && Number.isInteger(read) && within(read, bounds) ? read : undefined;
    },
  };
}

/** A number of seconds; fractions are allowed. */
export function seconds(bounds: { readonly min: number; readonly max: number }): Form<number> {
  return {
    expected: `seconds, from ${bounds.min} to ${bounds.max}`,
    read: (value) => {
      const read = readNumber(value);
      return read !== undefined && within(read, bounds) ? read : undefined;
    },
  };
}

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** A number of bytes, with or without a binary unit. */
export function bytes(bounds: { readonly min: number; readonly max: number }): Form<number> {
  return {
    expected: `bytes (65536, 64 KiB, 64 MiB, 1 GiB), from ${showBytes(bounds.min)} to ${showBytes(bounds.max)}`,
    read: (value) => {
      const match = /^(\d{1,15}) ?(KiB|MiB|GiB|)$/.exec(String(value));
      if (match === null) return undefined;
      const read = Number(match[1]) * (UNIT_BYTES[match[2] as string] as number);
      return within(read, bounds) ? read : undefined;
    },
  };
}

export function flag(): Form<boolean> {
  return {
    expected: 'true or false',
    read: (value) =>
      value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
  };
}

/** A count, or `auto`. */
export function countOrAuto(bounds: { readonly min: number; readonly max: number }): Form<number | 'auto'> {
  const count = integer(bounds);
  return {
    expected: `auto, or ${count.expected}`,
    read: (value) => (value === 'auto' ? 'auto' : count.read(value)),
  };
}

/** `host:port` or `[::1]:port`; `:port` means every address. */
export const hostPort: Form<HostPort> = { expected: 'host:port', read: readHostPort };

/** One address, or a network in CIDR notation. */
export const network: Form<string> = {
  expected: 'an IP address, or a network such as 10.0.0.0/8 or fd00::/8',
  read: (value) => {
    const [, address, prefix] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(readText(value) ?? '') ?? [];
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address ?? '')] as number;
    return bits === -1 || Number(prefix ?? 0) > bits ? undefined : (value as string);
  },
};

/** The same as hostPort, or `off`. */
export const hostPortOrOff: Form<HostPort | 'off'> = {
  expected: 'host:port, or off',
  // YAML 1.2 reads `off` as a text, but people who know YAML 1.1 write false.
  read: (value) => (value === 'off' || value === false ? 'off' : readHostPort(value)),
};

/** An origin. A URL with a path or credentials is refused, because these would be dropped silently. */
export const originUrl: Form<URL> = {
  expected: 'http://host:port or https://host:port, without path or credentials',
  read: (value) => {
    const url = readUrl(value, ['http:', 'https:']);
    return url?.pathname === '/' && url.username === '' && url.password === '' && url.search + url.hash === ''
      ? url
      : undefined;
  },
};

export const path: Form<string> = { expected: 'a path', kind: 'path', read: (value) => readText(value) };

/** A path, or `off`; a file of that name is written `./off`. */
export const pathOrOff: Form<string> = {
  expected: 'a path, or off',
  kind: 'path',
  read: (value) => (value === false ? 'off' : readText(value)),
};

/** A PEM file, which is read at the start: the setting names the file, and the configuration holds its content. */
export const pemFile: Form<string> = {
  expected: 'the path of a PEM file',
  kind: 'pem',
  read: (value) => {
    const read = readText(value);
    return read?.includes('-----BEGIN ') ? read : undefined;
  },
};

export const pemKeyFile: Form<Secret> = { ...pemFile, read: (value) => asSecret(pemFile.read(value)) };

export const secret: Form<Secret> = {
  expected: 'a secret, from the environment or from file:PATH',
  kind: 'secret',
  read: (value) => asSecret(readText(value)),
};

/** A text that is no secret but is often kept beside one, so it may be `file:PATH` too. */
export const textOrFile: Form<string> = { ...text('text, or file:PATH'), kind: 'secret' };

/** The name of a region, as clients or a backend use it. */
export const regionName: Form<string> = matching(/^[A-Za-z0-9-]{1,64}$/, 'a region name, such as us-east-1');

/** The content of an environment variable, which `source.ts` puts in place of the variable's name. */
export class VariableContent {
  readonly content: Secret;
  /** How messages name the variable. */
  readonly source: string;

  constructor(content: Secret, source: string) {
    this.content = content;
    this.source = source;
  }
}

/**
 * The name of an environment variable that holds a key. It is read as the variable's content: the key, and where it
 * came from.
 */
export const keyVariable: Form<{ readonly key: Secret; readonly source: string }> = {
  expected: 'the name of an environment variable that holds 32 bytes in base64',
  kind: 'variable',
  read: (value) => (value instanceof VariableContent ? { key: value.content, source: value.source } : undefined),
};

/** A YAML list, or one text with commas. */
export function listOf<T>(form: Form<T>): Form<readonly T[]> {
  return {
    expected: `a list, each ${form.expected}`,
    list: true,
    read: (value) => {
      const items = Array.isArray(value) ? value : readText(value)?.split(',');
      const read = items?.map((item: unknown) => form.read(typeof item === 'string' ? item.trim() : item));
      return read?.every((item) => item !== undefined) ? (read as T[]) : undefined;
    },
  };
}

/** Renders a number of bytes, in the largest unit of which it is a whole number. */
export function showBytes(count: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB']) {
    const unitBytes = UNIT_BYTES[unit] as number;
    if (count >= unitBytes && count % unitBytes === 0) return `${count / unitBytes} ${unit}`;
  }
  return String(count);
}

function within(value: number, bounds: { readonly min: number; readonly max: number }): boolean {
  return value >= bounds.min && value <= bounds.max;
}

function readText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads a number. Environment variables are texts, so a text of digits counts as a number. */
function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

function readHostPort(value: unknown): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):(\d{1,5})$/.exec(readText(value) ?? '');
  if (match === null || Number(match[3]) > 65535) return undefined;
  return { host: match[1] ?? (match[2] === '' ? '::' : (match[2] as string)), port: Number(match[3]) };
}

function readUrl(value: unknown, protocols: readonly string[]): URL | undefined {
  const url = URL.parse(readText(value) ?? '');
  return url !== null && url.hostname !== '' && protocols.includes(url.protocol) ? url : undefined;
}

function asSecret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}
