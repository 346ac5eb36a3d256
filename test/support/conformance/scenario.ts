/** One request of a scenario. `{name}` anywhere in it stands for what an earlier step kept, `{bucket}` for the bucket. */
export interface Step {
  readonly name: string;
  readonly method: string;
  /** As the client knows it; encoded when it is sent. Without it the request is of the bucket. */
  readonly key?: string;
  /** Another bucket than the scenario's; '' is the service. */
  readonly bucket?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** x-amz-content-sha256, where it is not the hash of the body. */
  readonly payload?: string;
  /** Signed otherwise than the owner would now. */
  readonly signed?: StepSignature;
  /** Names for what the answer holds: `header NAME` or `element NAME` (the first of that name). */
  readonly keep?: Readonly<Record<string, string>>;
}

export interface StepSignature {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  readonly region?: string;
  readonly service?: string;
  /** How long ago; negative: in the future. */
  readonly ageSeconds?: number;
  /** In the URL, for so long. */
  readonly expiresSeconds?: number;
  /** Changed in the headers and the target after they were signed. */
  readonly forged?: { readonly from: RegExp; readonly to: string };
  /** Not at all. */
  readonly anonymous?: true;
}

/** Requests in order, in a bucket of their own that a first step makes. */
export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

export const VERSIONED = {
  name: 'versioning on',
  method: 'PUT',
  query: { versioning: '' },
  body: '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>',
} as const satisfies Step;

type More = Omit<Partial<Step>, 'method' | 'key' | 'name'>;

export const put = (name: string, key: string, body: string | Buffer, more: More = {}): Step => ({
  name,
  method: 'PUT',
  key,
  body,
  ...more,
});
export const get = (name: string, key: string, more: More = {}): Step => ({ name, method: 'GET', key, ...more });
export const head = (name: string, key: string, more: More = {}): Step => ({ name, method: 'HEAD', key, ...more });
export const remove = (name: string, key: string, more: More = {}): Step => ({ name, method: 'DELETE', key, ...more });
export const post = (name: string, key: string, body: string | Buffer, more: More = {}): Step => ({
  name,
  method: 'POST',
  key,
  body,
  ...more,
});
/** GET of the bucket with a query. */
export const list = (name: string, query: Readonly<Record<string, string>>, more: More = {}): Step => ({
  name,
  method: 'GET',
  query,
  ...more,
});
