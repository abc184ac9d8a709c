import { isPythonSpace } from './python-text.js';

/** 1 for each ASCII code point of LIMR's character class `[a-zA-Z0-9\s.,!?"'(){}[\]_\-+=<>/@#$%^&*\\|:;~` + "`" + `]`. */
const validAscii = new Uint8Array(128);
for (let point = 0; point < 128; point += 1) {
  // Every printable character and Python's whitespace; the class misses no punctuation mark of ASCII.
  validAscii[point] = (point > 32 && point < 127) || isPythonSpace(point) ? 1 : 0;
}

/**
 * Share of code points that are neither ASCII letters, digits, punctuation and Python whitespace nor mathematical operators
 * (U+2200..22FF). 0 for the empty text.
 */
export function garbledShare(text: string): number {
  let points = 0;
  let garbled = 0;
  for (let i = 0; i < text.length; i += 1) {
    points += 1;
    const unit = text.charCodeAt(i);
    if (unit < 128) {
      garbled += 1 - validAscii[unit]!;
    } else if (!(unit >= 0x2200 && unit <= 0x22ff) && !isPythonSpace(unit)) {
      garbled += 1;
      if (text.codePointAt(i)! > 0xffff) i += 1; // a surrogate pair is one code point
    }
  }
  return points === 0 ? 0 : garbled / points;
}
