/** The stores that the gateway is tested over: no two of them share code. */
export type StoreName = 'MinIO' | 'versitygw' | 'Ceph RGW';

/** A real object store as processes of this test, over a folder of its own. */
export interface Store {
  readonly name: StoreName;
  readonly endpoint: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** What an operator sets in `backend` for it (docs/stores.md). */
  readonly settings: { readonly careful?: boolean; readonly conditionalUploads?: boolean; readonly keys?: 'names' };
  /** The folder that its objects lie in, where it is one of the host's. */
  readonly directory?: string;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

/** `backend` of a gateway over this store, or over whatever stands at `endpoint` before it. */
export function backendSettings(store: Pick<Store, 'endpoint' | 'accessKeyId' | 'secretAccessKey' | 'settings'>) {
  const { endpoint, accessKeyId, secretAccessKey, settings } = store;
  return { endpoint, credentials: { accessKeyId, secretAccessKey }, ...settings };
}
