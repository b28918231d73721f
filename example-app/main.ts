/**
 * The example application: a metered chat service with a dashboard and a settings page. Telemetry
 * starts before the rest is imported, so that the `openai` SDK is patched when it is loaded.
 */
import { readEnvironment } from './environment.ts';
import { startTelemetry } from './telemetry.ts';

const environment = readEnvironment();
for (const problem of environment.problems) console.error(problem);
const telemetry = startTelemetry(environment.config);
const { startServer } = await import('./server.ts');
await startServer(environment, telemetry);
