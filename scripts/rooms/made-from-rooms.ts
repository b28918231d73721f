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

/** One override a room: oxlint takes the last one that matches a file, so each is complete. */
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
  const allowed = room.imports.length === 0 ? 'nothing of ours' : room.imports.join(', ');
  const message = `${room.path} may import ${allowed}: see docs/architecture.md.`;
  return {
    files: [isFile(room.path) ? room.path : `${room.path}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [LATE_API_NAMES],
          patterns: [
            { regex: above(own.map((path) => path.slice(top.length + 1)).map(ending)), message },
            { regex: above([...others.map(ending), ...elsewhere]), message },
            {
              group: room.path === 'src/tokens' ? [...WEB, '@opentelemetry/*'] : WEB,
              message: `${room.path} does without.`,
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
          patterns: [{ group: ['**/example-app/**', ...WEB], message: 'No entry knows the app.' }],
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
              message: 'The app uses the published entry points.',
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

/** Of imports that leave their folder. */
function above(places: readonly string[]): string {
  return `^(\\.\\./)+(${places.join('|')})`;
}

/** The document with its table as it should be. */
export function withRoomsTable(document: string, rooms: readonly Room[]): string {
  const [head = '', rest = ''] = document.split(START);
  const [, tail = ''] = rest.split(END);
  return `${head}${START}\n\n${table(rooms)}\n\n${END}${tail}`;
}

function table(rooms: readonly Room[]): string {
  const rows = rooms.map(({ path, what, imports }) => {
    const may = imports.map((name) => `\`${name}\``).join(', ');
    return `| \`${path}\` | ${what} | ${may === '' ? 'nothing of ours' : may} |`;
  });
  return ['| folder | what | may import |', '|---|---|---|', ...rows].join('\n');
}
