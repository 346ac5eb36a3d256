/** What the gateway does with an operation. */
export type Treatment =
  /** The operation carries object bytes. They are sealed when they are written, and opened when they are read. */
  | 'sealed'
  /**
   * It carries no object bytes, but sizes, ETags, metadata or names. The gateway answers with those of the plaintext.
   */
  | 'edited'
  /** It carries neither. The gateway signs it anew and sends it on to a backend of the same dialect. */
  | 'forwarded'
  /** It is answered NotImplemented. */
  | 'refused';

/** What the address of a request names. */
export type Level = 'service' | 'bucket' | 'object';
export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';

/** An operation of the S3 API, how a request for it is recognised, and what the gateway does with it. */
export interface S3Operation {
  /** The name in the S3 API reference, which AWS SDKs also send as the query parameter `x-id`. */
  readonly name: string;
  readonly method: Method;
  readonly level: Level;
  readonly treatment: Treatment;
  /** Why the operation is treated so, for the README's table. A refusal tells it to the client, too. */
  readonly reason: string;
  /** The query parameter that selects the operation (`?tagging`). */
  readonly subresource?: string;
  /** A query parameter that must be present too. Rows that need something stand before those that do not. */
  readonly needsParameter?: string;
  /** A header that must be present too. */
  readonly needsHeader?: string;
  /** The other query parameters that the operation understands. Any further one is judged by query-names.ts. */
  readonly parameters: readonly string[];
}

/** What distinguishes an operation from others with the same method and level. */
export type Address = Pick<S3Operation, 'subresource' | 'needsParameter' | 'needsHeader'> & {
  readonly parameters?: readonly string[];
};

/**
 * Makes a row of the table of operations.
 * @param route method and level, as in `GET object`
 */
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
