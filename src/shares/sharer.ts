/** For whom memory and places are counted: by tenant first, then by client within the tenant. */
export interface Sharer {
  readonly tenant: string;
  /** An IP address, or the access key of a presigned URL, which many addresses may use. */
  readonly client: string;
}

/** The gateway itself: sweeps, checks, and questions that concern everybody. No tenant has an empty name. */
export const OWN_BUSINESS: Sharer = Object.freeze({ tenant: '', client: '' });
