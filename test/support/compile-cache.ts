import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// The run starts some 150 Node processes, and each would strip the types of the sources and compile them
// again: more than half of the CPU time of a start. Child processes find the cache by this variable.
// A coverage run turns it off, since V8 reports functions from the cache imprecisely.
if (process.env['NODE_V8_COVERAGE'] === undefined) {
  process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(
    new URL('../../node_modules/.cache/otel-token-meter/compiled', import.meta.url),
  );
  enableCompileCache();
}
