import { completeOptions } from '../../config.js';
import { serveRmOptions } from '../../launch/grading-options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const serveRmVerb: Verb = {
  name: 'serve-rm',
  summary: summaries['serve-rm'],
  options: serveRmOptions,
  about: [
    'POST /get_reward {"query": ["full text", ...]} is answered by {"rewards": [1, -0.5, ...]} in the same order: +1 right, -0.5 wrong, -1 not in form. With "labels" in the request, those are the gold answers. GET /health says what runs. SIGINT or SIGTERM finishes what is under way.',
    "There is no password: whoever reaches the address may ask, so it is this machine's alone unless --host says otherwise.",
  ],
  examples: [
    ['As LIMR graded', 'limr-engine serve-rm --prompts math.json --grader limr'],
    [
      'Two files of answers, on another port, with a line for every request',
      'limr-engine serve-rm --prompts train.json --prompts test.json --template deepseek --port 6000 --access-log',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { launchServeRm } = await import('../../launch/serve-rm.js');
    const options = completeOptions(serveRmOptions, given);
    const result = await launchServeRm(options, {
      signal,
      ...hubHooks(terminal),
      onListening: (address) => terminal.say(`grading by ${options.grader} at ${address}/get_reward`),
      onRequest: (line) => terminal.say(line),
      remark: (text) => terminal.say(text, 'warn'),
    });
    const { answered, refused, queries } = result;
    return { json: result, lines: [`${queries} queries graded in ${answered} requests, ${refused} refused`] };
  },
};
