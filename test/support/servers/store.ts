import type { Capabilities } from '../../../src/store/capabilities.ts';
import { KNOWN_STORES } from '../../../src/store/known-stores.ts';

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
  /** What it does; the gateway has to find it out (docs/stores.md). */
  readonly capabilities: Capabilities;
  /** The folder that its objects lie in, where it is one of the host's. */
  readonly directory?: string;
  /** The path of its CA's certificate, where it speaks TLS. */
  readonly ca?: string;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

/** `backend` of a gateway over this store, or over whatever stands at `endpoint` before it. */
export function backendSettings(store: Pick<Store, 'endpoint' | 'accessKeyId' | 'secretAccessKey' | 'ca'>) {
  const { endpoint, accessKeyId, secretAccessKey, ca } = store;
  return { endpoint, credentials: { accessKeyId, secretAccessKey }, ...(ca !== undefined && { tls: { ca } }) };
}

/** @param name of a row of KNOWN_STORES */
export function capabilitiesOf(name: string): Capabilities {
  const row = KNOWN_STORES.find((store) => store.name === name);
  if (row === undefined) throw new Error(`there is no row ${name}`);
  return row.capabilities;
}
