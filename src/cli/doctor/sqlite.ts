import { rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { DestinationContext } from './destination-context.ts';
import { checkDisk } from './disk.ts';
import { messageOf, note, ok, problem, type Finding } from './finding.ts';
import { shownBytes } from './shown-bytes.ts';
import { shownCount } from '../shown-number.ts';
import { writeAndReadBack, type Exporters } from './test-record.ts';

const DAY_MS = 86_400_000;

/** The test record goes to a temporary file next to the ledger. */
export async function checkSqlite({
  config,
  cwd,
  write,
}: DestinationContext): Promise<readonly Finding[]> {
  const path = resolve(cwd, config.sqlite.path);
  const disk = await checkDisk('the ledger', dirname(path));
  if (disk.state === 'problem') return [disk];
  const exporters: Exporters = await import('otel-token-meter/exporter');
  const findings = [disk];
  if (write) {
    const trial = `${path}.doctor-${process.pid}`;
    const store = exporters.usageStore('sqlite', { ...config, sqlite: { path: trial } });
    const reader = store.reader();
    try {
      findings.push(await writeAndReadBack(store.processor(), reader));
    } finally {
      await reader.close();
      for (const end of ['', '-wal', '-shm']) await rm(`${trial}${end}`, { force: true });
    }
  }
  findings.push(await checkLedger(exporters, path));
  return findings;
}

async function checkLedger(exporters: Exporters, path: string): Promise<Finding> {
  const reader = new exporters.SqliteUsageReader({ path });
  const to = new Date();
  try {
    const { total } = await reader.summary({ from: new Date(to.getTime() - DAY_MS), to });
    const { calls, bytes, rollUpBytes } = exporters.sqliteLedgerSize(path);
    const sums = rollUpBytes === undefined ? '' : `, ${shownBytes(rollUpBytes)} of it sums`;
    const size = `${shownCount(calls)} calls, ${shownBytes(bytes)}${sums}`;
    return ok('ledger', `${path}: ${size}; ${total.calls} calls in the last 24 hours`);
  } catch (error) {
    const missing = /no such file/i.test(messageOf(error));
    return missing
      ? note('ledger', `${path} does not exist yet: it is created with the first call`)
      : problem('ledger', messageOf(error));
  } finally {
    await reader.close();
  }
}
