/** The oldest Node that everything runs on, as `engines` of package.json has it. */
const OLDEST: readonly [major: number, minor: number] = [22, 18];

/** What is wrong with this Node, or undefined. */
export function nodeProblem(version: string = process.versions.node): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? `v${version} is too old: ${OLDEST.join('.')} or newer is needed` : undefined;
}
