import { clientError } from '../errors.ts';
import { percentDecode } from './percent.ts';

/** A query parameter, as it was sent and decoded. `value` is '' for `name` and for `name=`. */
export interface QueryParameter {
  readonly rawName: string;
  readonly rawValue: string;
  readonly name: string;
  readonly value: string;
  /** Whether the name is followed by `=`. Some vendors sign `name` and `name=` differently. */
  readonly hasEquals: boolean;
}

/**
 * The most parameters that are read. SDKs send some twenty, and in a presigned URL one more for each user metadata
 * entry.
 */
const MAX_PARAMETERS = 500;

/**
 * The query of a request, in the order in which it was sent. A `+` is decoded as a blank, as in forms (WHATWG URL,
 * section 5). Half of the vendors' SDKs send a blank so, the others send %20, and all send a plus as %2B. In a path, on
 * the other hand, a plus is a plus.
 */
export class QueryList {
  readonly parameters: readonly QueryParameter[];

  /**
   * @param raw what follows the `?`
   * @throws GatewayError InvalidURI for bad percent-encoding, for bytes that are not UTF-8, and for too many
   *   parameters, because they are read before the client is known
   */
  constructor(raw: string) {
    if (raw === '') {
      this.parameters = [];
      return;
    }
    const pieces = raw.split('&').filter((piece) => piece !== '');
    if (pieces.length > MAX_PARAMETERS) {
      throw clientError('InvalidURI', `The query has ${pieces.length} parameters; at most ${MAX_PARAMETERS} are read.`);
    }
    this.parameters = pieces.map(parseParameter);
  }

  has(name: string): boolean {
    return this.parameters.some((parameter) => parameter.name === name);
  }

  /** Returns the first decoded value of a parameter, or undefined. */
  get(name: string): string | undefined {
    return this.parameters.find((parameter) => parameter.name === name)?.value;
  }

  /** Returns all decoded values of a parameter, in order. */
  getAll(name: string): string[] {
    return this.parameters.filter((parameter) => parameter.name === name).map((parameter) => parameter.value);
  }
}

function parseParameter(piece: string): QueryParameter {
  const equals = piece.indexOf('=');
  const rawName = equals === -1 ? piece : piece.slice(0, equals);
  const rawValue = equals === -1 ? '' : piece.slice(equals + 1);
  return { rawName, rawValue, name: queryDecode(rawName), value: queryDecode(rawValue), hasEquals: equals !== -1 };
}

function queryDecode(text: string): string {
  return percentDecode(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
