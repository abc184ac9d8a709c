/**
 * The framing of TFRecord files (tensorflow/core/lib/io/record_writer.h): a record is
 *   uint64 length | uint32 masked_crc(length) | bytes | uint32 masked_crc(bytes)      little-endian
 *   masked_crc(b) = rotate_right(crc32c(b), 15) + 0xa282ead8
 */

/** CRC-32C of each byte: the Castagnoli polynomial, reflected (RFC 3720, B.4). */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

/** Node has the other polynomial only (zlib.crc32). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

export function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One record around `bytes`. */
export function frame(bytes: Uint8Array): Buffer {
  const record = Buffer.alloc(bytes.length + 16);
  record.writeBigUInt64LE(BigInt(bytes.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(bytes, 12);
  record.writeUInt32LE(maskedCrc(bytes), bytes.length + 12);
  return record;
}
