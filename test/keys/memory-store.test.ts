import { onTestFinished } from 'vitest';
import { MemoryRecords, MemoryStore } from './memory-store.ts';
import { recordStoreContract } from './store/record-store-contract.ts';

recordStoreContract('memory store', async () => {
  const records = new MemoryRecords();
  const open = async () => {
    const store = new MemoryStore(records);
    onTestFinished(() => store.close());
    return store;
  };
  return { open };
});
