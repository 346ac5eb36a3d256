import type { RootKey } from './root/root-key.ts';
import { RecordUnreadable } from './wrapped-record.ts';

/** A record's payload: a JSON object whose fields docs/keys.md lists for each kind. */
export type Payload = { readonly [field: string]: unknown };

/** Is thrown by a kind's `decode`. The message names the field, never its value. */
export class PayloadInvalid extends Error {
  constructor(field: string) {
    super(`its field ${field} is missing or wrong`);
    this.name = 'PayloadInvalid';
  }
}

/** Wraps a payload into the bytes that a store keeps. @throws GatewayError KeyStoreUnavailable */
export async function wrapPayload(name: string, payload: Payload, key: RootKey): Promise<Buffer> {
  const plaintext = Buffer.from(JSON.stringify(payload), 'utf8');
  try {
    return await key.wrap(name, plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Unwraps a record and decodes its payload.
 * @throws RecordUnreadable, whose message quotes nothing of the payload; GatewayError KeyStoreUnavailable
 */
export async function openPayload<T>(
  { name, wrapped }: { readonly name: string; readonly wrapped: Buffer },
  key: RootKey,
  decode: (payload: Payload) => T,
): Promise<T> {
  const plaintext = await key.unwrap(name, wrapped);
  try {
    return decode(parsePayload(plaintext));
  } catch (error) {
    const reason = error instanceof PayloadInvalid ? error.message : 'its payload is not what this version writes';
    throw new RecordUnreadable(name, reason);
  } finally {
    plaintext.fill(0);
  }
}

/**
 * Parses a payload.
 * @throws PayloadInvalid; SyntaxError, whose message quotes the payload and must therefore not be passed on
 */
export function parsePayload(plaintext: Buffer): Payload {
  const payload: unknown = JSON.parse(plaintext.toString('utf8'));
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw new PayloadInvalid('(all)');
  return payload as Payload;
}

/**
 * Returns a text field of a payload, checked.
 * @throws PayloadInvalid
 */
export function textField(payload: Payload, field: string, pattern?: RegExp): string {
  const value = payload[field];
  if (typeof value !== 'string' || (pattern !== undefined && !pattern.test(value))) throw new PayloadInvalid(field);
  return value;
}

/**
 * Returns a flag that older records lack; it is false then.
 * @throws PayloadInvalid
 */
export function laterFlag(payload: Payload, field: string): boolean {
  const value = payload[field] ?? false;
  if (typeof value !== 'boolean') throw new PayloadInvalid(field);
  return value;
}

/**
 * Returns an object that older records lack; it is undefined then.
 * @throws PayloadInvalid
 */
export function laterObject(payload: Payload, field: string): Payload | undefined {
  const value = payload[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PayloadInvalid(field);
  return value as Payload;
}

/**
 * Returns a list of objects in a payload, checked.
 * @throws PayloadInvalid
 */
export function listField(payload: Payload, field: string): readonly Payload[] {
  const value = payload[field];
  if (!Array.isArray(value)) throw new PayloadInvalid(field);
  for (const item of value) if (typeof item !== 'object' || item === null) throw new PayloadInvalid(field);
  return value as readonly Payload[];
}

/**
 * Returns the whole number that grows with every writing of a ledger or a view, checked.
 * @throws PayloadInvalid
 */
export function generationField(payload: Payload): number {
  const { generation } = payload;
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation)) throw new PayloadInvalid('generation');
  return generation;
}
