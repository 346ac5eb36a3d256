import { clientError } from '../errors.ts';
import { percentDecode } from './percent.ts';

/** One parameter: as sent, and decoded. `value` is '' for a bare `name` as well as for `name=`. */
export interface QueryParameter {
  readonly rawName: string;
  readonly rawValue: string;
  readonly name: string;
  readonly value: string;
  /** False for a bare `name`: some vendors sign the difference. */
  readonly hasEquals: boolean;
}

/** SDKs send some twenty, and a presigned upload one more a piece of metadata. */
const MAX_PARAMETERS = 500;

/**
 * The query of a request target, in the order sent. A `+` is a blank, as forms write it (WHATWG URL, section 5): half of
 * the vendors' SDKs send blanks so, the others as %20, and all of them send a plus as %2B. A path is not a query: there a
 * plus is a plus.
 */
export class QueryList {
  readonly parameters: readonly QueryParameter[];

  /**
   * @throws GatewayError InvalidURI for bad percent-encoding, bytes that are not UTF-8, and so many parameters that to
   *   read them would cost more than the request is worth while nobody knows whose it is
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

  /** The first decoded value, or undefined. */
  get(name: string): string | undefined {
    return this.parameters.find((parameter) => parameter.name === name)?.value;
  }

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
