// A server that takes signals in the ways in common use.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const kind = process.argv[2];
/** Returns nothing: signal-exit 4 takes `true` for a wish to live on. */
const say = (text) => void process.stdout.write(`${text}\n`);
const timer = setInterval(() => undefined, 1000);

if (kind === 'signal-exit-3' || kind === 'both') {
  require('signal-exit-3')((code, signal) => say(`handled 3 ${code} ${signal}`));
}
if (kind === 'signal-exit-4' || kind === 'both') {
  require('signal-exit').onExit((code, signal) => say(`handled 4 ${code} ${signal}`));
}
const stop = () => {
  say('handled');
  clearInterval(timer);
};
if (kind === 'once') process.once('SIGTERM', stop);
if (kind === 'prepended once') process.prependOnceListener('SIGTERM', stop);
if (kind === 'exits') {
  process.on('SIGTERM', () => {
    say('handled');
    process.exit(7);
  });
}
if (kind === 'kills itself again') {
  const again = () => {
    say('handled');
    process.off('SIGTERM', again);
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('SIGTERM', again);
}
say('ready');
