/** One operation of the S3 API, and what the gateway does with it. */

export type Treatment =
  /** Carries object bytes: sealed on the way in, opened on the way out. */
  | 'sealed'
  /** Carries no object bytes, but sizes, ETags, metadata or names: the gateway answers in plaintext's terms. */
  | 'edited'
  /** Carries neither: goes to a backend of the same dialect as it is, re-signed. */
  | 'forwarded'
  | 'refused';

export type Level = 'service' | 'bucket' | 'object';
export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

export interface S3Operation {
  /** As in the S3 API reference, and as in the `x-id` that AWS SDKs send. */
  readonly name: string;
  readonly method: Method;
  readonly level: Level;
  readonly treatment: Treatment;
  /** Why it is treated so, for whoever reads the table. A refusal shows it to the client. */
  readonly reason: string;
  /** The query parameter that selects it (`?tagging`). */
  readonly subresource?: string;
  /** A second selector: this parameter or header must be there too. Rows with one stand before those without. */
  readonly needsParameter?: string;
  readonly needsHeader?: string;
  /** Query parameters that it understands; another one must be without meaning (query-names.ts), or is NotImplemented. */
  readonly parameters: readonly string[];
}

/** What selects an operation beside method and level. */
export type Address = Pick<S3Operation, 'subresource' | 'needsParameter' | 'needsHeader'> & {
  readonly parameters?: readonly string[];
};

/** A row of the table. `route` is its method and level (`GET object`). */
export function row(
  treatment: Treatment,
  name: string,
  route: `${Method} ${Level}`,
  address: Address,
  reason: string,
): S3Operation {
  const [method, level] = route.split(' ') as [Method, Level];
  return { name, method, level, treatment, reason, ...address, parameters: address.parameters ?? [] };
}
