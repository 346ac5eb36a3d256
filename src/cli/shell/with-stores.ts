import { openStores } from '../../gateway/open-stores.ts';
import type { Config } from '../../settings/config.ts';
import { commandConfig } from './config-file.ts';
import type { Terminal } from './terminal.ts';

export type Stores = Awaited<ReturnType<typeof openStores>>;

/**
 * Runs `work` with the key store open, and closes it in any case. The self-test runs first, because no gateway could
 * read a record that is written under a wrong root key.
 */
export async function withStores<T>(
  { config: option, terminal }: { readonly config: string | undefined; readonly terminal: Terminal },
  work: (stores: Stores, config: Config) => Promise<T>,
): Promise<T> {
  const config = commandConfig(option, terminal);
  const stores = await openStores(config, { onWarning: (message) => terminal.warn(message) });
  try {
    await stores.selfTest();
    return await work(stores, config);
  } finally {
    await stores.close();
  }
}
