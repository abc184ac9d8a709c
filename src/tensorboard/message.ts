/**
 * Protocol-buffer messages, written by hand: TensorBoard's events take six small messages of four kinds of field, and are never read
 * here, so this file stands in for a schema compiler and its runtime (https://protobuf.dev/programming-guides/encoding).
 * test/golden/tensorboard has what TensorBoard's own writer makes of the same values, byte for byte.
 */

/** Wire types. */
const [varintType, fixed64Type, lengthType, fixed32Type] = [0, 1, 2, 5];

/** Fields in the order they are added; ascending numbers give the bytes of other writers. */
export class Message {
  private readonly parts: Uint8Array[] = [];

  /** int64 and enums from 0, which is what an absent field means. */
  integer(field: number, value: number): this {
    return value === 0 ? this : this.add(varint(field * 8 + varintType), varint(value));
  }

  /** An absent field means 0 (but not -0). */
  double(field: number, value: number): this {
    return Object.is(value, 0) ? this : this.add(varint(field * 8 + fixed64Type), fixed(value, 8));
  }

  /** Of a oneof, which says by its presence which of its fields it is. */
  float(field: number, value: number): this {
    return this.add(varint(field * 8 + fixed32Type), fixed(value, 4));
  }

  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: Message): this {
    return this.bytes(field, value.encode());
  }

  /** A packed list. */
  doubles(field: number, values: readonly number[]): this {
    return this.bytes(field, Buffer.concat(values.map((value) => fixed(value, 8))));
  }

  encode(): Buffer {
    return Buffer.concat(this.parts);
  }

  private bytes(field: number, value: Uint8Array): this {
    return this.add(varint(field * 8 + lengthType), varint(value.length), value);
  }

  private add(...parts: readonly Uint8Array[]): this {
    this.parts.push(...parts);
    return this;
  }
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}

function fixed(value: number, size: 4 | 8): Uint8Array {
  const bytes = Buffer.alloc(size);
  if (size === 4) bytes.writeFloatLE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}
