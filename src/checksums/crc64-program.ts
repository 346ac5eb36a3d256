/**
 * This file makes a WebAssembly program that computes CRC-64s, because the ready-made ones take one second of CPU for
 * each GiB, as much as all the rest of an upload (bench/RESULTS.md). It looks up 16 bytes at a time in 16 tables
 * ("slicing by 16"): the CRC of 16 bytes is the XOR of what each of them contributes from its place.
 */

/** What is used of WebAssembly. TypeScript knows its types only where it knows those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: { readonly m: { readonly buffer: ArrayBuffer }; readonly u: (bytes: number) => void };
  };
};

/** Where the tables end and the bytes that are to be read begin. A table has 256 entries of 8 bytes. */
const DATA = 16 * 256 * 8;
/** How many bytes the program reads at a time. */
const CHUNK_BYTES = 64 * 1024;
/** Where the CRC so far is, little-endian. */
const STATE = DATA + CHUNK_BYTES;
const PAGES = 2;

/** The opcodes of WebAssembly that the program uses. */
const OP = {
  block: [0x02, 0x40],
  loop: [0x03, 0x40],
  end: [0x0b],
  again: [0x0c, 0],
  leaveIf: [0x0d, 1],
  atLeast: [0x4f],
  add: [0x6a],
  and: [0x71],
  xor64: [0x85],
  and64: [0x83],
  shiftLeft64: [0x86],
  shiftRight64: [0x88],
  wrap: [0xa7],
} as const;

const [LENGTH, AT, END, CRC, ONE, TWO] = [0, 1, 2, 3, 4, 5] as const;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const constant = (value: number) => [0x41, ...signed(value)];
const constant64 = (value: number) => [0x42, ...signed(value)];
const load64 = (offset: number) => [0x29, 0, ...unsigned(offset)];
const load8 = (offset: number) => [0x31, 0, ...unsigned(offset)];
const store64 = (offset: number) => [0x37, 0, ...unsigned(offset)];

/** What a byte of a local contributes: the entry of a table. */
function lookUp(local: number, byte: number, table: number): number[] {
  const shifted =
    byte === 0 ? [...constant64(3), ...OP.shiftLeft64] : [...constant64(8 * byte - 3), ...OP.shiftRight64];
  return [...get(local), ...shifted, ...OP.wrap, ...constant(0x7f8), ...OP.and, ...load64(table * 2048)];
}

function step(bytes: number): number[] {
  return [...get(AT), ...constant(bytes), ...OP.add, ...set(AT)];
}

/** Reads 16 bytes. The first 8 meet the CRC so far; the others do not wait for it. */
function sixteenBytes(): number[] {
  const code = [...get(AT), ...load64(DATA), ...get(CRC), ...OP.xor64, ...set(ONE)];
  code.push(...get(AT), ...load64(DATA + 8), ...set(TWO));
  for (let byte = 0; byte < 8; byte++) code.push(...lookUp(TWO, byte, 7 - byte), ...(byte === 0 ? [] : OP.xor64));
  for (let byte = 0; byte < 8; byte++) code.push(...lookUp(ONE, byte, 15 - byte), ...OP.xor64);
  return [...code, ...set(CRC), ...step(16)];
}

function oneByte(): number[] {
  const index = [...get(CRC), ...get(AT), ...load8(DATA), ...OP.xor64, ...constant64(255), ...OP.and64];
  const entry = [...index, ...constant64(3), ...OP.shiftLeft64, ...OP.wrap, ...load64(0)];
  return [...entry, ...get(CRC), ...constant64(8), ...OP.shiftRight64, ...OP.xor64, ...set(CRC), ...step(1)];
}

/** Does `work` as long as AT has not come to `end`. */
function until(end: number, work: readonly number[]): number[] {
  return [
    ...OP.block,
    ...OP.loop,
    ...get(AT),
    ...get(end),
    ...OP.atLeast,
    ...OP.leaveIf,
    ...work,
    ...OP.again,
    ...OP.end,
  ].concat(OP.end);
}

/** The module: a memory `m`, and a function `u` that takes the number of bytes at DATA. */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const code = [
    ...constant(0),
    ...load64(STATE),
    ...set(CRC),
    ...get(LENGTH),
    ...constant(-16),
    ...OP.and,
    ...set(END),
    ...until(END, sixteenBytes()),
    ...until(LENGTH, oneByte()),
    ...constant(0),
    ...get(CRC),
    ...store64(STATE),
    ...OP.end,
  ];
  const locals = [2, 2, 0x7f, 3, 0x7e]; // two of 32 bits, three of 64
  const body = [...locals, ...code];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, PAGES]),
    ...section(7, [2, 1, 0x6d, 2, 0, 1, 0x75, 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128, in which WebAssembly writes numbers. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}

/**
 * Makes a function that carries a CRC-64 on over more bytes. One program serves all, because it never stops in between.
 * @param polynomial reflected
 */
export function crc64Program(polynomial: bigint): (crc: bigint, bytes: Uint8Array) => bigint {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
  const { buffer } = exports.m;
  const update = exports.u;
  fillTables(new BigUint64Array(buffer, 0, DATA / 8), polynomial);
  const data = new Uint8Array(buffer, DATA, CHUNK_BYTES);
  const state = new DataView(buffer, STATE, 8);
  return (crc, bytes) => {
    state.setBigUint64(0, crc, true);
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const chunk = at === 0 && bytes.length <= CHUNK_BYTES ? bytes : bytes.subarray(at, at + CHUNK_BYTES);
      data.set(chunk);
      update(chunk.length);
    }
    return state.getBigUint64(0, true);
  };
}

/** Table 0 has what a byte contributes, and each further table what it contributes one byte later. */
function fillTables(tables: BigUint64Array, polynomial: bigint): void {
  for (let byte = 0; byte < 256; byte++) {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as bigint;
    tables[at] = (before >> 8n) ^ (tables[Number(before & 255n)] as bigint);
  }
}
