/**
 * CRC-64/NVME, the checksum that S3 keeps of every object (polynomial 0xad93d23594c93659, reflected, all ones before
 * and after). Those of parts combine into that of the whole.
 */

import { UploadError } from './errors.js';

const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
const ONES = 0xffffffffffffffffn;
/** x⁰ and x¹, whose powers come first in a reflected register. */
const ONE = 1n << 63n;
const X = 1n << 62n;

/**
 * Has everything in itself: a worker runs its text.
 *
 * @returns {(blob: Blob) => Promise<[number, number]>} the register's halves; rejects where the contents cannot be read,
 *   or are fewer than they were
 */
function reader() {
  /** @type {any} numbers, whatever the index */
  const low = new Int32Array(2048);
  /** @type {any} */
  const high = new Int32Array(2048);
  for (let index = 0; index < 2048; index++) {
    let l = index < 256 ? index : low[index - 256];
    let h = index < 256 ? 0 : high[index - 256];
    for (let bit = 0; bit < 8; bit++) {
      const odd = -(l & 1);
      l = ((l >>> 1) | (h << 31)) ^ (0xac4bc9b5 & odd);
      h = (h >>> 1) ^ (0x9a6c9329 & odd);
    }
    low[index] = l;
    high[index] = h;
  }
  /**
   * @param {ArrayBuffer} buffer
   * @param {[number, number]} register its halves
   * @returns {[number, number]}
   */
  const update = (buffer, [h, l]) => {
    const eights = buffer.byteLength >>> 3;
    /** @type {any} machines with browsers are little-endian */
    const words = new Int32Array(buffer, 0, 2 * eights);
    for (let at = 0; at < words.length; at += 2) {
      l ^= words[at];
      h ^= words[at + 1];
      // Four times as fast as with arrays of these.
      const a = 1792 + (l & 255);
      const b = 1536 + ((l >>> 8) & 255);
      const c = 1280 + ((l >>> 16) & 255);
      const d = 1024 + (l >>> 24);
      const e = 768 + (h & 255);
      const f = 512 + ((h >>> 8) & 255);
      const g = 256 + ((h >>> 16) & 255);
      const i = h >>> 24;
      l = low[a] ^ low[b] ^ low[c] ^ low[d] ^ low[e] ^ low[f] ^ low[g] ^ low[i];
      h = high[a] ^ high[b] ^ high[c] ^ high[d] ^ high[e] ^ high[f] ^ high[g] ^ high[i];
    }
    for (const byte of new Uint8Array(buffer, 8 * eights)) {
      const index = (l ^ byte) & 255;
      l = ((l >>> 8) | (h << 24)) ^ low[index];
      h = (h >>> 8) ^ high[index];
    }
    return [h, l];
  };
  return async (blob) => {
    /** @type {[number, number]} */
    let register = [-1, -1];
    let length = 0;
    const step = 4194304;
    for (let start = 0; start < blob.size; start += step) {
      const buffer = await blob.slice(start, start + step).arrayBuffer();
      register = update(buffer, register);
      length += buffer.byteLength;
    }
    if (length !== blob.size) throw new Error('The file is not what it was.');
    return register;
  };
}

/** @type {((blob: Blob) => Promise<any>) | undefined} */
let reading;

/** One worker for all files of a page. Where there can be none the page reads. */
function begin() {
  const here = reader();
  /** @type {Map<number, (register: any) => void>} */
  const waiting = new Map();
  let asked = 0;
  /** @type {Worker | undefined} */
  let worker;
  try {
    const code = `const read=(${reader})();onmessage=({data:[id,blob]})=>read(blob).then(
        (register)=>postMessage([id,register]),()=>postMessage([id,null]))`;
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    worker.onmessage = ({ data: [id, register] }) => {
      waiting.get(id)?.(register);
      waiting.delete(id);
    };
    // A policy of the page may forbid it.
    worker.onerror = () => {
      worker = undefined;
      waiting.forEach((settle) => settle(undefined));
    };
  } catch {
    // As above.
  }
  return async (/** @type {Blob} */ blob) => {
    const register = worker
      ? await new Promise((resolve) => {
          asked += 1;
          waiting.set(asked, resolve);
          worker?.postMessage([asked, blob]);
        })
      : undefined;
    return register === undefined ? here(blob) : register;
  };
}

/**
 * @param {Blob} blob
 * @returns {Promise<bigint>} its checksum; rejects with an UploadError where it cannot be read
 */
export async function checksumOf(blob) {
  reading ??= begin();
  const register = await reading(blob).catch(() => null);
  if (!register) throw new UploadError('unreadable');
  const [h, l] = register;
  return ((BigInt(h >>> 0) << 32n) | BigInt(l >>> 0)) ^ ONES;
}

/**
 * @param {bigint} one
 * @param {bigint} other
 */
function multiply(one, other) {
  let product = 0n;
  for (let bit = ONE; bit > 0n; bit >>= 1n) {
    if (one & bit) product ^= other;
    other = other & 1n ? (other >> 1n) ^ POLYNOMIAL : other >> 1n;
  }
  return product;
}

/**
 * @param {{ checksum: bigint, size: number }[]} parts in their order
 * @returns {bigint} the checksum of all of them as one
 */
export function combine(parts) {
  let whole = 0n;
  /** @type {Map<number, bigint>} */
  const shifts = new Map();
  for (const { checksum, size } of parts) {
    let shift = shifts.get(size);
    if (shift === undefined) {
      shift = ONE;
      let square = X;
      for (let bits = BigInt(size) * 8n; bits > 0n; bits >>= 1n) {
        if (bits & 1n) shift = multiply(square, shift);
        square = multiply(square, square);
      }
      shifts.set(size, shift);
    }
    whole = multiply(shift, whole) ^ checksum;
  }
  return whole;
}

/**
 * @param {bigint} checksum
 * @returns {string} Base64, as S3 has it
 */
export function base64(checksum) {
  return btoa(String.fromCharCode(...new Uint8Array(new BigUint64Array([checksum]).buffer).reverse()));
}
