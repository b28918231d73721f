/** Where programs are found, the clock (see `npm run test:dates`) and the cache of compiled sources. */
const INHERITED = /^(?:PATH|TZ|LD_PRELOAD|FAKETIME.*|NODE_COMPILE_CACHE)$/;

/** The environment of a child process whose configuration a test decides alone. */
export function childEnv(
  own: Readonly<Record<string, string | undefined>> = {},
): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(([name]) => INHERITED.test(name));
  return { ...Object.fromEntries(inherited), ...own };
}
