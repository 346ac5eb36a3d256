#!/usr/bin/env -S node --max-semi-space-size=8
// The flag keeps V8's young generation at 8 MB: with its default of 16 the gateway holds 80 MB more and is no faster
// (bench/RESULTS.md). It must be there at the start; package.json and the Dockerfile give it too.
// Plain JavaScript that Node 12 reads, on purpose: on a Node too old for the rest it must still be able to say so.
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know the node: protocol
import fs from 'fs';
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know the node: protocol
import v8 from 'v8';

// Node opens its inspector to whoever sends SIGUSR1, and the inspector shows all memory, the root key too. A listener
// takes its place. --disable-sigusr1 would do it as well, but a Node too old for it refuses to start. The Dockerfile's
// does not.
process.on('SIGUSR1', () => undefined);
// A core file would have all memory in it, keys too. So Linux is told to leave the process's own memory out, and that
// of its children. Other systems have no such file.
try {
  fs.writeFileSync('/proc/self/coredump_filter', '0');
} catch {}
// SIGHUP asks a server to read its configuration anew (src/cli/serve/serve.ts). Until it listens to it, it must not die
// of it.
if (process.argv[2] === 'serve') process.on('SIGHUP', () => undefined);

const NEEDED_MAJOR = 24;
const found = process.versions.node;

if (Number(found.split('.')[0]) < NEEDED_MAJOR) {
  console.error(`Sealgate needs Node ${NEEDED_MAJOR} or later; this is Node ${found} (${process.execPath}).

In a clone the right one comes with the packages, and npm scripts use it:

    npm ci && npm start
    npm run -s sealgate -- --help

Otherwise install Node ${NEEDED_MAJOR}: https://nodejs.org/en/download`);
  process.exitCode = 1;
} else {
  // V8 soon compiles undici's HTTP parser, one huge WebAssembly function, a second time and for speed. That takes 10 MB
  // which the process keeps, and 0.2 s of CPU at each start, for a client that reads small documents alone. With this
  // budget a function must run for long before it is worth that; those that compute checksums get there
  // (bench/RESULTS.md).
  v8.setFlagsFromString('--wasm-tiering-budget=2000000000');
  // dist/ holds main.js, a clone holds main.ts.
  const main = fs.existsSync(new URL('./main.js', import.meta.url)) ? './main.js' : './main.ts';
  import(main).catch((error) => {
    if (error.code === 'ERR_MODULE_NOT_FOUND' && /^Cannot find package/.test(error.message)) {
      console.error(`Sealgate's packages are not installed (${error.message.split(' imported from')[0]}). Install them:

    npm ci`);
    } else console.error(error);
    process.exitCode = 1;
  });
}
