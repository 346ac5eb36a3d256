import type { AnswerHead } from '../../../src/dialects/backend-calls.ts';
import { GatewayError } from '../../../src/errors.ts';

/** Reads what the toy store tells, and refuses what is not as it must be. */

export type Json = Record<string, unknown>;

export function unusable(why: string): GatewayError {
  return new GatewayError('BackendError', `The toy's answer ${why}.`, { source: 'backend' });
}

export function json(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw unusable('is cut off, or no JSON');
  }
}

export function must<T>(value: T, isSo: boolean): T {
  if (!isSo) throw unusable('lacks what it must have');
  return value;
}
export const text = (value: unknown) => must(value as string, typeof value === 'string');
export const count = (value: unknown) => must(value as number, Number.isSafeInteger(value) && (value as number) >= 0);
export const flag = (value: unknown) => must(value as boolean, typeof value === 'boolean');
export const list = (value: unknown) => must(value as Json[], Array.isArray(value));
export const time = (value: unknown) => must(new Date(text(value)), !Number.isNaN(Date.parse(text(value))));
export const maybe = (value: unknown) => (value === undefined ? undefined : text(value));
export const told = ({ headers }: AnswerHead) =>
  json(Buffer.from(headers.get('toy-told') ?? '', 'base64url').toString());
