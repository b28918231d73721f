/**
 * The example application: a metered chat service with a dashboard and a settings page. Telemetry
 * starts before the rest is imported, so that the `openai` SDK is patched when it is loaded.
 */
import './npm-parent.ts';
import { readEnvironment, unsetEmpty } from './environment.ts';
import { createLogger, logDiagnostics } from './logger.ts';
import { startTelemetry } from './telemetry.ts';

unsetEmpty(process.env);
const logger = createLogger({ env: process.env });
logDiagnostics(logger);
const environment = readEnvironment();
for (const problem of environment.problems) logger.warn(problem);
const telemetry = startTelemetry(environment.config);
const { startServer } = await import('./server.ts');
await startServer(environment, telemetry, logger);
