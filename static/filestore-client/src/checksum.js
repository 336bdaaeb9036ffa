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
 * @returns {(blob: Blob, keep: boolean) => Promise<[number, number, ArrayBuffer | undefined]>} the register's halves,
 *   and the contents if they are to be kept; rejects where they cannot be read, or are fewer than they were
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
      const [a, b, c, d] = [1792 + (l & 255), 1536 + ((l >>> 8) & 255), 1280 + ((l >>> 16) & 255), 1024 + (l >>> 24)];
      const [e, f, g, i] = [768 + (h & 255), 512 + ((h >>> 8) & 255), 256 + ((h >>> 16) & 255), h >>> 24];
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
  return async (blob, keep) => {
    /** @type {[number, number]} */
    let register = [-1, -1];
    let length = 0;
    const step = keep ? blob.size : 4194304;
    /** @type {ArrayBuffer | undefined} */
    let buffer;
    for (let start = 0; start < blob.size; start += step) {
      buffer = await blob.slice(start, start + step).arrayBuffer();
      register = update(buffer, register);
      length += buffer.byteLength;
    }
    if (length !== blob.size) throw new Error('The file is not what it was.');
    return [...register, keep ? (buffer ?? new ArrayBuffer(0)) : undefined];
  };
}

/** @typedef {{ checksum: bigint, contents?: ArrayBuffer }} Part */

/** @type {((blob: Blob, keep: boolean) => Promise<any>) | undefined} */
let reading;

/** One worker for all files of a page. Where there can be none the page reads. */
function begin() {
  const here = reader();
  /** @type {Map<number, (part: any) => void>} */
  const waiting = new Map();
  let asked = 0;
  /** @type {Worker | undefined} */
  let worker;
  try {
    const code = `const read=(${reader})();onmessage=({data:[id,blob,keep]})=>read(blob,keep).then(
        (part)=>postMessage([id,part],part[2]?[part[2]]:[]),()=>postMessage([id,null]))`;
    worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    worker.onmessage = ({ data: [id, part] }) => {
      waiting.get(id)?.(part);
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
  return async (/** @type {Blob} */ blob, /** @type {boolean} */ keep) => {
    const part = worker
      ? await new Promise((resolve) => {
          asked += 1;
          waiting.set(asked, resolve);
          worker?.postMessage([asked, blob, keep]);
        })
      : undefined;
    return part === undefined ? here(blob, keep) : part;
  };
}

/**
 * @param {Blob} blob
 * @param {boolean} keep whether the contents are returned
 * @returns {Promise<Part>} rejects with an UploadError where it cannot be read
 */
export async function read(blob, keep) {
  reading ??= begin();
  const part = await reading(blob, keep).catch(() => null);
  if (!part) throw new UploadError('unreadable');
  const [h, l, contents] = part;
  return { checksum: ((BigInt(h >>> 0) << 32n) | BigInt(l >>> 0)) ^ ONES, ...(contents && { contents }) };
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
