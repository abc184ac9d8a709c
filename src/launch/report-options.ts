/** Options of `report`. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';

const files = optionGroup('Files');
const page = optionGroup('Page');
const service = optionGroup('Watching');

export const reportOptions = {
  runs: files.texts('dir', 'run folders to compare, each once; default: the newest one in runs/'),
  output: files.text(
    'file.html',
    '',
    'where the page goes, .html; default: report.html in the run folder, or here when there are several runs',
    /^$|\.html?$|^\/dev\//,
    'an .html file',
  ),
  title: page.text('heading', '', 'heading of the page; default: the names of the runs'),
  samples: page.integer(
    1000,
    {},
    'samples of each run that the page holds, at most, drawn evenly over rollouts and rewards; 6 MB of them in all',
  ),
  watch: service.boolean(false, 'serve the page while the run trains, instead of writing it'),
  host: service.text(
    'address',
    '127.0.0.1',
    'address to listen on; 0.0.0.0 lets other machines in, without a password',
  ),
  port: service.integer(6007, { max: 65_535 }, 'port to listen on; 0 = any free one'),
} as const;
export type ReportOptions = OptionValues<typeof reportOptions>;
