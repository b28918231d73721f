import { startRegistered } from './register/start.ts';

// Loaded by `node --import otel-token-meter/register app.js` or `--require`, so nothing is awaited
// here.
startRegistered();
