import { startRegistered } from './register/start.ts';

// `node --import otel-token-meter/register app.js`, and `--require` alike: nothing is awaited here.
startRegistered();
