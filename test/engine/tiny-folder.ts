/** A model folder with a byte-level tokenizer and no weights, for a fake engine. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byteOfCharacter } from '../../src/tokenizer/token-bytes.js';

/** Id of the end-of-text token; ids 0 to 255 are bytes in the order of the alphabet. */
export const eosTokenId = 256;

const chatTemplate =
  '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';

export function writeTinyFolder(dir: string): string {
  mkdirSync(dir, { recursive: true });
  const vocab = Object.fromEntries([...byteOfCharacter.keys()].map((token, id) => [token, id]));
  const put = (name: string, content: unknown) => writeFileSync(join(dir, name), JSON.stringify(content));
  put('config.json', { model_type: 'qwen2', eos_token_id: 0 });
  put('generation_config.json', { eos_token_id: [eosTokenId] });
  put('tokenizer_config.json', { eos_token: '<eos>', chat_template: chatTemplate });
  put('tokenizer.json', {
    added_tokens: [{ id: eosTokenId, content: '<eos>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: [] },
  });
  writeFileSync(join(dir, 'model.safetensors'), '');
  return dir;
}
