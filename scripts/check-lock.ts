/** The lock file serves every registry and every platform. */

interface Lock {
  readonly packages: Readonly<Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>>;
}

/**
 * @param text package-lock.json
 * @returns packages whose source is a host, and optional packages (builds for other platforms) that the file lacks: npm leaves
 * those out when a registry has not got them, and `npm ci` then refuses the file
 */
export function checkLock(text: string): string[] {
  const { packages } = JSON.parse(text) as Lock;
  const names = new Set(Object.keys(packages).map((key) => key.replace(/^.*node_modules\//, '')));
  return Object.entries(packages).flatMap(([key, { resolved, optionalDependencies = {} }]) => [
    ...(resolved !== undefined && /^https?:/.test(resolved) ? [`package-lock.json: ${key} names a registry host`] : []),
    ...Object.keys(optionalDependencies)
      .filter((name) => !names.has(name))
      .map((name) => `package-lock.json: ${name}, optional for ${key}, is missing; choose a version that has it`),
  ]);
}
