/**
 * The header of a GGUF file: metadata, and where each tensor lies.
 *   "GGUF" | version u32 | tensors u64 | keys u64 | key, type u32, value ... | name, dimensions, type, offset ... | padding | data
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Versions 2 and 3, little-endian. Everything is checked before it is
 * returned: a tensor's bytes are in the file, and no two tensors share any.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { LimrError } from '../errors.js';
import { ioError } from '../files.js';
import { HeaderReader } from './header-reader.js';
import { type TensorType, tensorTypes, typeName } from './tensor-types.js';

export type MetadataScalar = number | bigint | boolean | string;
/** Whole numbers of 64 bits are bigint where they are not safe. */
export type MetadataValue = MetadataScalar | readonly MetadataScalar[];

export interface TensorInfo {
  readonly name: string;
  readonly type: TensorType;
  /** Slowest first, as torch has it: [rows, columns]. */
  readonly shape: readonly number[];
  /** In the file. */
  readonly offset: number;
  readonly bytes: number;
}

export interface GgufHeader {
  readonly file: string;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

const defaultAlignment = 32;
const maxDimensions = 4;
const arrayType = 9;

/** @throws {LimrError} LIMR_IO; LIMR_FORMAT for a file that is no GGUF, cut or damaged; LIMR_UNSUPPORTED */
export function readGgufHeader(file: string): GgufHeader {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw ioError(`cannot read ${file}`, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new LimrError('LIMR_IO', `cannot read ${file}: it is no file`, 'Name a .gguf file.');
    return parse(new HeaderReader(fd, stat.size, file));
  } finally {
    closeSync(fd);
  }
}

function parse(reader: HeaderReader): GgufHeader {
  checkMagic(reader);
  // A name has at least 8 bytes of length; a dimensions' count, type and offset take 16 more.
  const numTensors = reader.count('tensors', 24);
  const numKeys = reader.count('metadata keys', 13);
  const metadata = new Map<string, MetadataValue>();
  for (let i = 0; i < numKeys; ++i) {
    const key = reader.text();
    if (metadata.has(key)) throw reader.malformed(`the key ${JSON.stringify(key)} is there twice`);
    metadata.set(key, readValue(reader, key));
  }
  const raw = Array.from({ length: numTensors }, () => readTensor(reader));
  const alignment = metadata.get('general.alignment') ?? defaultAlignment;
  if (typeof alignment !== 'number' || !(alignment >= 8) || alignment % 8 !== 0) {
    throw reader.malformed(`"general.alignment" is ${String(alignment)}, expected a multiple of 8`);
  }
  const data = Math.ceil(reader.offset / alignment) * alignment;
  return { file: reader.file, metadata, tensors: placeTensors(reader, raw, data, alignment) };
}

function checkMagic(reader: HeaderReader): void {
  const { file } = reader;
  const bytes = reader.size < 8 ? [] : [reader.u8(), reader.u8(), reader.u8(), reader.u8()];
  if (String.fromCharCode(...bytes) !== 'GGUF') {
    const found = reader.size < 8 ? `it has ${reader.size} bytes` : `it begins with ${printable(bytes)}`;
    const hint = 'Name a .gguf file; GGML, GGMF and GGJT files are older than GGUF, and llama.cpp converts them.';
    throw new LimrError('LIMR_FORMAT', `${file} is no GGUF file: ${found}`, hint);
  }
  const version = reader.u32();
  if (version === 2 || version === 3) return;
  // The version of a big-endian file reads as a multiple of 65,536.
  if (version !== 0 && version % 65536 === 0) {
    const hint = "Take the little-endian file, or convert it with gguf-py's gguf_convert_endian.py.";
    throw new LimrError('LIMR_UNSUPPORTED', `${file} is big-endian`, hint);
  }
  const hint = "Versions 2 and 3 are supported; convert the model again with today's llama.cpp.";
  throw new LimrError('LIMR_UNSUPPORTED', `${file} is GGUF of version ${version}`, hint);
}

const printable = (bytes: readonly number[]): string =>
  bytes.every((byte) => byte > 31 && byte < 127)
    ? JSON.stringify(String.fromCharCode(...bytes))
    : bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

const safe = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

interface ScalarType {
  readonly bytes: number;
  readonly read: (reader: HeaderReader) => MetadataScalar;
}

/** enum gguf_type, by its number; 9 is the array. */
const scalarTypes: ReadonlyMap<number, ScalarType> = new Map([
  [0, { bytes: 1, read: (r) => r.u8() }],
  [1, { bytes: 1, read: (r) => r.i8() }],
  [2, { bytes: 2, read: (r) => r.u16() }],
  [3, { bytes: 2, read: (r) => r.i16() }],
  [4, { bytes: 4, read: (r) => r.u32() }],
  [5, { bytes: 4, read: (r) => r.i32() }],
  [6, { bytes: 4, read: (r) => r.f32() }],
  [7, { bytes: 1, read: (r) => r.u8() !== 0 }],
  [8, { bytes: 8, read: (r) => r.text() }],
  [10, { bytes: 8, read: (r) => safe(r.u64()) }],
  [11, { bytes: 8, read: (r) => safe(r.i64()) }],
  [12, { bytes: 8, read: (r) => r.f64() }],
] as const satisfies readonly (readonly [number, ScalarType])[]);

function readValue(reader: HeaderReader, key: string): MetadataValue {
  const number = reader.u32();
  if (number !== arrayType) return scalarType(reader, key, number).read(reader);
  const element = reader.u32();
  if (element === arrayType) {
    const hint = 'None of the supported models has such a key; convert the model again without it.';
    throw new LimrError('LIMR_UNSUPPORTED', `${reader.file}: ${JSON.stringify(key)} is a list of lists`, hint);
  }
  const { bytes, read } = scalarType(reader, key, element);
  const length = reader.count(`entries of ${JSON.stringify(key)}`, bytes);
  const list: MetadataScalar[] = [];
  for (let i = 0; i < length; ++i) list.push(read(reader));
  return list;
}

function scalarType(reader: HeaderReader, key: string, number: number): ScalarType {
  const type = scalarTypes.get(number);
  if (type !== undefined) return type;
  throw reader.malformed(`${JSON.stringify(key)} has a value of type ${number}, which is none`);
}

interface RawTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: bigint;
}

function readTensor(reader: HeaderReader): RawTensor {
  const name = reader.text();
  const dimensions = reader.u32();
  if (dimensions < 1 || dimensions > maxDimensions) {
    throw reader.malformed(`tensor ${JSON.stringify(name)} has ${dimensions} dimensions`);
  }
  const shape = Array.from({ length: dimensions }, () => {
    const size = reader.u64();
    if (size >= 1n && size <= 0xffff_ffffn) return Number(size);
    throw reader.malformed(`tensor ${JSON.stringify(name)} has a dimension of ${size}`);
  }).reverse();
  return { name, shape, type: reader.u32(), offset: reader.u64() };
}

function placeTensors(
  reader: HeaderReader,
  raw: readonly RawTensor[],
  data: number,
  alignment: number,
): ReadonlyMap<string, TensorInfo> {
  const { file, size } = reader;
  const tensors = new Map<string, TensorInfo>();
  for (const { name, shape, type: number, offset } of raw) {
    const type = tensorTypes.get(number);
    if (type === undefined) {
      const known = Array.from(tensorTypes.values(), (known) => known.name).join(', ');
      const hint = `Take a file of another quantisation: ${known} are supported.`;
      throw new LimrError('LIMR_UNSUPPORTED', `${file}: tensor ${name} is of ${typeName(number)}`, hint);
    }
    if (tensors.has(name)) throw reader.malformed(`tensor ${JSON.stringify(name)} is there twice`);
    const columns = shape.at(-1) ?? 1;
    if (columns % type.blockSize !== 0) {
      throw reader.malformed(
        `tensor ${name} has rows of ${columns}, expected a multiple of ${type.name}'s ${type.blockSize}`,
      );
    }
    const weights = shape.reduce((product, length) => product * length, 1);
    const bytes = (weights / type.blockSize) * type.blockBytes;
    if (offset % BigInt(alignment) !== 0n)
      throw reader.malformed(`tensor ${name} is not aligned to ${alignment} bytes`);
    const end = data + Number(offset) + bytes;
    if (!(end <= size)) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${file} is cut: tensor ${name} ends at byte ${end}, and the file has ${size}`,
        'Download it again, to its end.',
      );
    }
    tensors.set(name, { name, type, shape, offset: data + Number(offset), bytes });
  }
  const inOrder = [...tensors.values()].sort((a, b) => a.offset - b.offset);
  for (const [i, tensor] of inOrder.entries()) {
    const next = inOrder[i + 1];
    if (next !== undefined && tensor.offset + tensor.bytes > next.offset) {
      throw reader.malformed(`tensors ${tensor.name} and ${next.name} share bytes`);
    }
  }
  return tensors;
}

/** Metadata and tensors, or tensors among each other, are not of one model. */
export function inconsistent(file: string, what: string): LimrError {
  return new LimrError('LIMR_FORMAT', `${file}: ${what}`, 'The file is incomplete or of another model; take it again.');
}
