import { afterLast, beforeFirst, pythonStrip } from './python-text.js';

/** How prompt and response are found: by Qwen's or DeepSeek's markers in the full text, or given apart (`plain`). */
export const templateNames = ['qwen', 'deepseek', 'plain'] as const;
export type TemplateName = (typeof templateNames)[number];

/** Prompt and response as LIMR's checks see them, both stripped. */
export interface Dialogue {
  readonly prompt: string;
  readonly response: string;
  /** Whether the response came to an end of its own; a response that hit the length limit did not. */
  readonly finished: boolean;
}

const qwenUser = '<|im_end|>\n<|im_start|>user\n';
const qwenAssistant = '<|im_end|>\n<|im_start|>assistant\n';
const qwenEnd = '<|im_end|>';
const endOfText = '<|endoftext|>';
const deepseekUser = '<｜User｜>';
const deepseekAssistant = '<｜Assistant｜>';
const deepseekInstruction = 'Please reason step by step, and put your final answer within \\boxed{}';

/**
 * A Qwen chat, split as LIMR's reward server does (openrlhf/cli/serve_rm.py): the last user turn and what follows the last
 * assistant header, cut at the first end marker. Without any end marker it is unfinished. A turn that the model made up
 * moves both "last" positions, so that the prompt found is not the one that was asked.
 */
export function splitQwen(text: string): Dialogue {
  const prompt = pythonStrip(beforeFirst(afterLast(text, qwenUser), qwenAssistant));
  const tail = afterLast(text, qwenAssistant);
  const finished = tail.includes(qwenEnd) || tail.includes(endOfText);
  return { prompt, response: pythonStrip(beforeFirst(beforeFirst(tail, qwenEnd), endOfText)), finished };
}

/** A DeepSeek chat, split as LIMR's reward server does: its instruction leaves the prompt, and every response is finished. */
export function splitDeepseek(text: string): Dialogue {
  const turn = pythonStrip(beforeFirst(afterLast(text, deepseekUser), deepseekAssistant));
  const prompt = pythonStrip(turn.replaceAll(deepseekInstruction, ''));
  return { prompt, response: pythonStrip(afterLast(text, deepseekAssistant)), finished: true };
}
