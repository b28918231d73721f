import { drawing } from './drawing.ts';
import type { Room } from './rooms.ts';

interface LintOverride {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

const START = '<!-- made by npm run build:rooms -->';
const END = '<!-- end -->';

const LATE_API_NAMES = {
  name: '@opentelemetry/api',
  importNames: ['logs', 'SeverityNumber'],
  message: 'Not in API 1.9, which SDK 2.x pins: see src/otel/telemetry.ts.',
};
const WEB = ['koa', '@koa/*'];

/**
 * One override per room. oxlint applies only the last one that matches a file, so each is complete.
 */
export function lintOverrides(rooms: readonly Room[]): readonly LintOverride[] {
  return [...rooms.map((room) => overrideOf(room, rooms)), ...OTHERS];
}

function overrideOf(room: Room, rooms: readonly Room[]): LintOverride {
  const forbidden = rooms
    .filter(({ path }) => path !== room.path && !room.imports.includes(path))
    .map(({ path }) => path);
  const [top = ''] = room.path.split('/');
  const own = forbidden.filter((path) => path.startsWith(`${top}/`));
  const others = forbidden.filter((path) => !path.startsWith(`${top}/`));
  const elsewhere = top === 'src' ? ['exporter/', 'example-app/'] : ['example-app/'];
  const allowed = room.imports.length === 0 ? 'no other room' : room.imports.join(', ');
  const message = `${room.path} may import ${allowed}: see docs/architecture.md.`;
  return {
    files: [isFile(room.path) ? room.path : `${room.path}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [LATE_API_NAMES],
          patterns: [
            { regex: outside(own.map((path) => path.slice(top.length + 1)).map(ending)), message },
            { regex: outside([...others.map(ending), ...elsewhere]), message },
            {
              group: room.path === 'src/tokens' ? [...WEB, '@opentelemetry/*'] : WEB,
              message: `${room.path} must not depend on this package.`,
            },
          ],
        },
      ],
    },
  };
}

const OTHERS: readonly LintOverride[] = [
  {
    files: ['src/index.ts', 'src/register.ts', 'exporter/index.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [LATE_API_NAMES],
          patterns: [
            {
              group: ['**/example-app/**', ...WEB],
              message: 'Entry points do not import the example application.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['example-app/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/src/**', '**/exporter/**'],
              message: 'The example application imports published entry points only.',
            },
          ],
        },
      ],
    },
  },
];

function isFile(path: string): boolean {
  return path.endsWith('.ts');
}

function ending(path: string): string {
  return isFile(path) ? `${path.replaceAll('.', '\\.')}$` : `${path}/`;
}

/** Matches relative imports that leave their folder. */
function outside(places: readonly string[]): string {
  return `^(\\.\\./)+(${places.join('|')})`;
}

/** The document with up-to-date drawing and table. */
export function withRooms(document: string, rooms: readonly Room[]): string {
  const [head = '', rest = ''] = document.split(START);
  const [, tail = ''] = rest.split(END);
  const picture = `\`\`\`text\n${drawing(rooms)}\n\`\`\``;
  return `${head}${START}\n\n${picture}\n\n${table(rooms)}\n\n${END}${tail}`;
}

function table(rooms: readonly Room[]): string {
  const rows = rooms.map(({ path, what, imports }) => {
    const may = imports.map((name) => `\`${name}\``).join(', ');
    return `| \`${path}\` | ${what} | ${may === '' ? 'no other room' : may} |`;
  });
  return ['| Room | Purpose | May import |', '|---|---|---|', ...rows].join('\n');
}
