/** The bytes that each token id stands for: what stop strings match on, and what decoding concatenates. */

/** Ids packed: id i is `bytes[offsets[i] .. offsets[i + 1])`; ids without a token have no bytes. */
export interface TokenBytes {
  readonly bytes: Uint8Array;
  /** [ids + 1] */
  readonly offsets: Int32Array;
}

/** How the characters of a vocabulary entry stand for bytes. */
export type TokenSpelling =
  /** GPT-2's alphabet: each character is one byte. */
  | { readonly kind: 'byte-level' }
  /** SentencePiece: UTF-8 after these replacements, in order; `<0xAB>` is one byte when `byteFallback`. */
  | {
      readonly kind: 'sentencepiece';
      readonly byteFallback: boolean;
      readonly replacements: readonly (readonly [string, string])[];
    };

/**
 * GPT-2's byte alphabet, printable characters standing for themselves and the rest for U+0100 onwards.
 * https://github.com/openai/gpt-2/blob/master/src/encoder.py, bytes_to_unicode
 * @returns character -> byte, 256 entries
 */
export const byteOfCharacter: ReadonlyMap<string, number> = (() => {
  const isPrintable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  const map = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; ++byte) map.set(String.fromCodePoint(isPrintable(byte) ? byte : next++), byte);
  return map;
})();

const utf8 = new TextEncoder();

/** The byte of a `<0xAB>` token, or undefined for any other token. */
export function fallbackByte(token: string): number | undefined {
  return /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : undefined;
}

/** Bytes of one vocabulary entry; an entry outside of the byte alphabet is its own UTF-8, as in Hugging Face's decoder. */
function bytesOfToken(token: string, spelling: TokenSpelling): Uint8Array {
  if (spelling.kind === 'byte-level') {
    const bytes: number[] = [];
    for (const character of token) {
      const byte = byteOfCharacter.get(character);
      if (byte === undefined) return utf8.encode(token);
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }
  const byte = spelling.byteFallback ? fallbackByte(token) : undefined;
  if (byte !== undefined) return Uint8Array.of(byte);
  let text = token;
  for (const [from, to] of spelling.replacements) text = text.replaceAll(from, to);
  return utf8.encode(text);
}

/**
 * @param vocabulary token of each id; undefined for ids that have none
 * @param isAdded whether an id is an added token, which is plain UTF-8
 */
export function packTokenBytes(
  vocabulary: readonly (string | undefined)[],
  isAdded: (id: number) => boolean,
  spelling: TokenSpelling,
): TokenBytes {
  const parts = Array.from(vocabulary, (token, id) => {
    if (token === undefined) return new Uint8Array(0);
    return isAdded(id) ? utf8.encode(token) : bytesOfToken(token, spelling);
  });
  const offsets = new Int32Array(parts.length + 1);
  for (const [id, part] of parts.entries()) offsets[id + 1] = offsets[id]! + part.length;
  const bytes = new Uint8Array(offsets.at(-1) ?? 0);
  for (const [id, part] of parts.entries()) bytes.set(part, offsets[id]!);
  return { bytes, offsets };
}
