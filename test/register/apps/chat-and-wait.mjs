// A server: it has answered once and goes on until it is told to stop.
await import('./chat.mjs');
if (process.argv[2] === 'handles') {
  process.on('SIGTERM', () => setTimeout(() => process.exit(7), 500));
}
setInterval(() => undefined, 1000);
console.log('ready');
