/**
 * Preloaded with --expose-gc: after every tenth line "rollout k/n: ..." of stderr, a line "heap <bytes of live objects> <resident bytes>".
 */
const write = process.stderr.write.bind(process.stderr);
process.stderr.write = (/** @type {[any, any?, any?]} */ ...args) => {
  const [, rollout] = /^rollout (\d+)\/\d+:/.exec(String(args[0])) ?? [];
  if (rollout !== undefined && Number(rollout) % 10 === 0) {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    write(`heap ${heapUsed} ${rss}\n`);
  }
  return write(...args);
};
