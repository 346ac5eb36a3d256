#!/usr/bin/env node
// Plain JavaScript that Node 12 reads, on purpose: on a Node too old for the rest it must still be able to say so.
// biome-ignore lint/style/useNodejsImportProtocol: Node 12 does not know the node: protocol
import fs from 'fs';
// biome-ignore lint/style/useNodejsImportProtocol: likewise
import v8 from 'v8';

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
  // Collections of the young generation are many and tiny (buffer-pace.ts): helper threads cost more than they do, and
  // buffers that are freed later than collected look to V8 like growth.
  v8.setFlagsFromString('--no-parallel-scavenge');
  v8.setFlagsFromString('--no-concurrent-array-buffer-sweeping');
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
