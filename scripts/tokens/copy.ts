import { cpSync } from 'node:fs';
import { DATA_DIRECTORY, ROOT } from './artefacts.ts';
import { join } from 'node:path';

/** The compiler copies no data: puts it beside the built engine, where the sources have it too. */
cpSync(DATA_DIRECTORY, join(ROOT, 'dist/src/tokens/engine/data'), { recursive: true });
