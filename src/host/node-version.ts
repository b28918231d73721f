/** Oldest supported Node, as in `engines` of package.json. */
const OLDEST: readonly [major: number, minor: number] = [22, 18];

/** Why this version of Node is not supported, or `undefined`. */
export function nodeProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? `v${version} is too old: ${OLDEST.join('.')} or newer is needed` : undefined;
}
