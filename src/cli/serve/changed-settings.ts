import { Secret } from '../../secret.ts';
import type { Config } from '../../settings/config.ts';

/** Returns the first parts of the names of settings that differ and that a running gateway does not take over. */
export function changedSettings(before: Config, after: Config): string[] {
  const [old, now] = [needingRestart(before), needingRestart(after)];
  return Object.keys(now).filter((name) => !same(old[name], now[name]));
}

/**
 * Returns the settings that are not taken over. serve.ts takes over the certificate and the log level, but not whether
 * there is TLS at all.
 */
function needingRestart(config: Config): Record<string, unknown> {
  return { ...config, tls: config.tls.cert !== undefined, log: { ...config.log, level: undefined } };
}

/**
 * Compares plain values, URLs, secrets, and lists and objects of them. Secrets have a case of their own, because all
 * print alike.
 */
function same(one: unknown, other: unknown): boolean {
  if (one instanceof Secret || other instanceof Secret) {
    return one instanceof Secret && other instanceof Secret && one.equals(other);
  }
  if (one instanceof URL || other instanceof URL) return String(one) === String(other);
  if (!isObject(one) || !isObject(other)) return Object.is(one, other);
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => same(one[name], other[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
