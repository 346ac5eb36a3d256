/** For whom something is taken: what fairness goes by. Shares are by tenant first, then by client within the tenant. */
export interface Sharer {
  readonly tenant: string;
  /** An IP address; or the credential of a presigned URL, which any number of addresses may use. */
  readonly client: string;
}

/** The gateway's own business: sweeps, checks, questions that are asked for everybody. No tenant has an empty name. */
export const OWN_BUSINESS: Sharer = Object.freeze({ tenant: '', client: '' });
