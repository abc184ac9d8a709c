/**
 * LZ4 frames, in which Arrow compresses buffers: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md.
 *
 *   frame    = 04 22 4d 18, flags, block size, [content size: u64], header checksum, blocks, u32 0, [content checksum]
 *   block    = u32 length (the highest bit: stored as it is), bytes, [checksum]
 *   bytes    = sequences: token (literals << 4 | match - 4), literals, u16 offset back, match; each 15 is continued by bytes up to one
 *              below 255; the last sequence of a block ends behind its literals
 *
 * Blocks may look back into earlier ones. Checksums, which Arrow's writers leave out, are not verified.
 */

const magic = 0x184d2204;
const storedBit = 0x8000_0000;
const minMatch = 4;

const damaged = (what: string): Error => new Error(`damaged LZ4 frame: ${what}`);

/**
 * @param frame one whole frame
 * @throws {Error} when it is damaged, or needs a dictionary
 */
export function decompressLz4Frame(frame: Uint8Array): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const wordAt = (at: number): number => {
    if (at + 4 > frame.length) throw damaged('it ends too early');
    return view.getUint32(at, true);
  };
  if (wordAt(0) !== magic) throw damaged('it has another beginning');
  const { blockBytes, headerBytes, checksumBytes } = frameHeader(frame);
  let out = new Uint8Array(Math.max(blockBytes, 2 * frame.length));
  let length = 0;
  for (let at = headerBytes; ; ) {
    const word = wordAt(at);
    if (word === 0) return out.slice(0, length);
    const size = word & ~storedBit;
    const block = frame.subarray(at + 4, at + 4 + size);
    if (block.length !== size) throw damaged('it ends too early');
    const room = length + blockBytes;
    if (room > out.length) out = enlarged(out, length, Math.max(room, 2 * out.length));
    if (word >= storedBit) {
      if (size > blockBytes) throw damaged(`a block of ${size} bytes`);
      out.set(block, length);
      length += size;
    } else length = decodeBlock(block, out.subarray(0, room), length);
    at += 4 + size + checksumBytes;
  }
}

/** What the bytes behind the magic number say. */
function frameHeader(frame: Uint8Array) {
  const [flags, sizes] = [frame[4] ?? 0, frame[5] ?? 0];
  const blockSize = (sizes >> 4) & 7;
  if (flags >> 6 !== 1 || blockSize < 4) throw damaged('its header is none');
  if (flags & 1) throw damaged('it needs a dictionary');
  return {
    /** Of a decoded block, at most: 64 KiB, 256 KiB, 1 MiB or 4 MiB. */
    blockBytes: 1 << (2 * blockSize + 8),
    headerBytes: 4 + 2 + (flags & 8 ? 8 : 0) + 1,
    checksumBytes: flags & 16 ? 4 : 0,
  };
}

function enlarged(bytes: Uint8Array, length: number, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes.subarray(0, length));
  return larger;
}

/** Appends a block's bytes to `out` from `begin` on. @returns the end of what `out` holds then */
function decodeBlock(block: Uint8Array, out: Uint8Array, begin: number): number {
  let at = 0;
  let end = begin;
  const byte = (): number => {
    const value = block[at++];
    if (value === undefined) throw damaged('a block ends within a sequence');
    return value;
  };
  const lengthFrom = (nibble: number): number => {
    let sum = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255; ) sum += more = byte();
    return sum;
  };
  for (;;) {
    const token = byte();
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length || end + literals > out.length) throw damaged('literals leave their block');
    out.set(block.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at === block.length) return end;
    const offset = byte() | (byte() << 8);
    const match = lengthFrom(token & 15) + minMatch;
    if (offset === 0 || offset > end || end + match > out.length) throw damaged('a match leaves its block');
    // A match may overlap what it writes: each round copies what stands there already.
    for (let copied = 0; copied < match; ) {
      const size = Math.min(offset + copied, match - copied);
      out.copyWithin(end + copied, end - offset, end - offset + size);
      copied += size;
    }
    end += match;
  }
}
