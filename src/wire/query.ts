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

/** The query of a request target, in the order sent. `+` is decoded as itself: SDKs encode a blank as %20. */
export class QueryList {
  readonly parameters: readonly QueryParameter[];

  /** @throws GatewayError InvalidURI for bad percent-encoding or bytes that are not UTF-8 */
  constructor(raw: string) {
    this.parameters =
      raw === ''
        ? []
        : raw
            .split('&')
            .filter((piece) => piece !== '')
            .map(parseParameter);
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
  return { rawName, rawValue, name: percentDecode(rawName), value: percentDecode(rawValue), hasEquals: equals !== -1 };
}
