/** Which source this package was built from. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

/** Commit of the clone that this package runs from; "" when it is installed, even into someone else's clone. */
export async function commit(): Promise<string> {
  const root = resolve(import.meta.dirname, '../..');
  const git = promisify(execFile)('git', ['rev-parse', '--show-toplevel', 'HEAD'], { cwd: root });
  const [top, head = ''] = await git.then(
    ({ stdout }) => stdout.trim().split('\n'),
    () => [],
  );
  return top !== undefined && resolve(top) === root ? head : '';
}
