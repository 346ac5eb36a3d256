import { clientError } from '../errors.ts';
import type { CustomerKey } from '../operations/encryption.ts';

/** Over which connections customer keys are taken beside TLS (setting customerKeys.overHttp). */
export type KeysOverHttp = 'never' | 'loopback' | 'always';

/** Which requests may bring a customer key. */
export interface KeyTransport {
  readonly overHttp: KeysOverHttp;
  /** Whether the gateway listens on a loopback address, which only programs of the same machine or pod can reach. */
  readonly listensOnLoopback: boolean;
}

/** What must be known of who sent the request. `WireClient` has this shape. */
export interface KeySender {
  /** An IP address, IPv4 in dotted form. */
  readonly address: string;
  /** Whether the address is that of a proxy which does not tell the client's. */
  readonly hidden?: boolean;
  /** Whether the request came over TLS, to the gateway or to a trusted proxy in front of it. */
  readonly secure: boolean;
}

/**
 * Checks the customer keys that a request brings: whether they can be used, and whether they passed a network in clear.
 * As S3 does, the gateway refuses one that came over plain HTTP, although the key is then known to others already: the
 * client must notice.
 * @throws GatewayError InvalidArgument, InvalidEncryptionAlgorithm, InvalidRequest
 */
export function checkKeys(keys: readonly CustomerKey[], sender: KeySender, transport: KeyTransport): void {
  for (const key of keys) key.check();
  if (sender.secure || keys.length === 0) return;
  const { overHttp, listensOnLoopback } = transport;
  if (overHttp === 'always') return;
  const here = listensOnLoopback && sender.hidden !== true && isLoopback(sender.address);
  if (overHttp === 'loopback' && here) return;
  throw clientError(
    'InvalidRequest',
    'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
  );
}

/** Whether an address, or the host of a setting, is a loopback address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
