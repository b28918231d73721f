import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * Runs the tests that can depend on the date on the dates where calendars go wrong, by libfaketime. Its
 * offset is relative, so that child processes agree about the time; the monotonic clock stays true, so
 * that timers wait as long as they should.
 */
const ZONES = ['UTC', 'Asia/Shanghai', 'America/St_Johns'];

/** Local times of the zone. */
const ANYWHERE = {
  saturday: '2027-01-09 12:00:00',
  'end of month': '2027-04-30 23:59:10',
  'end of year': '2026-12-31 23:59:10',
  'leap day': '2028-02-29 12:00:00',
};
/** Moments: two minutes before the clocks change, in UTC. */
const SWITCHES = {
  'spring in Berlin': ['Europe/Berlin', '2027-03-28T00:58:00Z'],
  'autumn in Berlin': ['Europe/Berlin', '2027-10-31T00:58:00Z'],
  'spring in New York': ['America/New_York', '2027-03-14T06:58:00Z'],
  'autumn in New York': ['America/New_York', '2027-11-07T05:58:00Z'],
} as const;

/** What a test reads the date by, itself or through a helper of its own. */
const READS_THE_DATE =
  /Date\.now|new Date\(\)|officeUsage|serveUsage|dashboardPages|browserPages|startBrowser|serveWholeApp|startExampleApp|recordOffice|setHours|getDate|timeZone/;
/**
 * Go programs are linked statically and ask the kernel, so that their clock stays true. VictoriaMetrics
 * refuses samples of the future; InfluxDB takes them, but the queries of Grafana's panels end at its
 * `now()`, and so does what it removes by retention. Pages in Chromium get the shifted clock by Playwright.
 */
const HAS_A_TRUE_CLOCK = /startVictoriaMetrics|Grafana provisioning|retentionCheckMs/;

interface Run {
  readonly name: string;
  readonly zone: string;
  readonly at: number;
}

const { values, positionals } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  },
  allowPositionals: true,
});

const library = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];
if (library === undefined) {
  console.error('libfaketime is not installed: apt-get install faketime');
  process.exit(1);
}

const files =
  positionals.length > 0
    ? positionals
    : globSync('test/**/*.test.ts', { exclude: ['**/node_modules/**', 'test/{gate,slow}/**'] })
        .filter((file) => {
          const text = readFileSync(file, 'utf8');
          return READS_THE_DATE.test(text) && !HAS_A_TRUE_CLOCK.test(text);
        })
        .toSorted();

/** The local time of a zone as a moment: `date` knows every zone's rules. */
function momentOf(local: string, zone: string): number {
  const env = { ...process.env, TZ: zone };
  return Number(execFileSync('date', ['-d', local, '+%s'], { env, encoding: 'utf8' })) * 1000;
}

const runs: Run[] = [
  ...Object.entries(ANYWHERE).flatMap(([name, local]) =>
    ZONES.map((zone): Run => ({ name, zone, at: momentOf(local, zone) })),
  ),
  ...Object.entries(SWITCHES).flatMap(([name, [own, moment]]) =>
    [own, ...ZONES].map((zone): Run => ({ name, zone, at: Date.parse(moment) })),
  ),
].filter(({ name, zone }) => `${name}, ${zone}`.includes(values.only));

if (values.list) {
  console.log([...files, ...runs.map(({ name, zone }) => `${name}, ${zone}`)].join('\n'));
  process.exit(0);
}

const mocha = 'node_modules/mocha/bin/mocha.js';
if (!existsSync(mocha)) throw new Error('run it in the folder of package.json');
let failed = runs.length === 0 ? 1 : 0;
for (const { name, zone, at } of runs) {
  const offset = Math.round((at - Date.now()) / 1000);
  const started = performance.now();
  const args = ['--config', '.mocharc.one.json', '--parallel', '--jobs', values.jobs];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [mocha, ...args, '--reporter', 'dot', ...files],
    {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: {
        ...process.env,
        TZ: zone,
        LD_PRELOAD: library,
        FAKETIME: `${offset < 0 ? '' : '+'}${offset}`,
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
  );
  const passing = /^ {2}(\d+) passing/m.exec(stdout)?.[1] ?? '0';
  const isGreen = status === 0 && passing !== '0';
  if (!isGreen) failed += 1;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${isGreen ? 'ok  ' : 'FAIL'} ${name}, ${zone}: ${passing} passed in ${seconds} s`);
  if (!isGreen) console.log(stdout.slice(stdout.indexOf(' passing')), stderr);
}
process.exitCode = failed === 0 ? 0 : 1;
