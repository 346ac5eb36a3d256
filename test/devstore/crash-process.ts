import { createDevstore } from '../../src/devstore/devstore.ts';

/** A store as a process of its own, to be killed. Prints its URL when it listens. */
const directory = process.argv[2] as string;
const devstore = createDevstore({ directory, authorize: () => ({ accessKeyId: 'anybody' }) });
const { url } = await devstore.listen({ host: '127.0.0.1', port: 0 });
console.log(url);
