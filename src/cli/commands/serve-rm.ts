import { completeOptions } from '../../config.js';
import { serveRmOptions } from '../../launch/grading-options.js';
import { hubHooks } from '../download-bar.js';
import type { Verb } from '../verb.js';

export const serveRmVerb: Verb = {
  name: 'serve-rm',
  summary: "LIMR's reward as an HTTP service in OpenRLHF's remote-RM protocol",
  options: serveRmOptions,
  examples: [
    'serve-rm --prompts math.json --grader limr',
    'serve-rm --prompts train.json --prompts test.json --template deepseek --port 6000 --access-log',
  ],
  notes: `POST /get_reward {"query": ["full text", ...]} is answered by {"rewards": [1, -0.5, ...]} in the same order; with "labels", those
are the gold answers. GET /health says what runs. SIGINT or SIGTERM finishes what is under way. There is no password: whoever reaches
the address may ask, so it is this machine's alone unless --host says otherwise.`,
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
