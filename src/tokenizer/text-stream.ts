/** Text of tokens that arrive one by one. */
import type { Tokenizer } from './tokenizer.js';

/** A character may take several tokens: until its last one has come, decoding ends in this. */
const incomplete = '\uFFFD';

export class TextStream {
  private readonly tokens: number[] = [];
  private written = 0;

  /** @param tokenizer special tokens are left out */
  constructor(private readonly tokenizer: Pick<Tokenizer, 'decode'>) {}

  /** @returns the text that this token completes; may be empty */
  push(token: number): string {
    this.tokens.push(token);
    const text = this.text();
    return text.endsWith(incomplete) ? '' : this.take(text);
  }

  /** @returns what has not been given out yet */
  end(): string {
    return this.take(this.text());
  }

  private text(): string {
    return this.tokenizer.decode(Int32Array.from(this.tokens), { skipSpecialTokens: true });
  }

  private take(text: string): string {
    const piece = text.slice(this.written);
    this.written = Math.max(this.written, text.length);
    return piece;
  }
}
