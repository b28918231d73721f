import assert from 'node:assert/strict';
import {
  clickHouse,
  clickHouseTables,
  fillClickHouse,
  makeClickHouseRollUps,
  requireClickHouse,
  restClickHouse,
  startClickHouse,
} from '../support/clickhouse.ts';
import type { TestServer } from '../support/servers.ts';
import { mixedRecords } from '../support/usage-ledger.ts';

/**
 * The server looks for due hours several times in the statement that sums them up. One that became due in between had
 * a row that says it has no calls, and none of its sums: views left it out.
 */
describe('regression: an hour that becomes due while ClickHouse sums up counted as empty', function () {
  let server: TestServer | undefined;
  before(async function () {
    requireClickHouse(this);
    server = await startClickHouse();
  });
  after(async () => await server?.stop());

  it('has no row without sums until it has been due for longer than a statement takes', async () => {
    const { url } = server as TestServer;
    await clickHouseTables(url, 'due');
    const end = Date.now() - 7_200_000;
    await fillClickHouse(url, 'due', mixedRecords(50, end - 7_200_000, end));
    await restClickHouse(url, 'due', 15);
    // As the part of the statement sees it that finds no hour due.
    await clickHouse(url, 'TRUNCATE TABLE due.llm_usage');
    await makeClickHouseRollUps(url, 'due');
    const rows = async (): Promise<number> =>
      Number(await clickHouse(url, 'SELECT count() FROM due.llm_usage_hourly'));
    assert.equal(await rows(), 0);
    // Calls that are gone for good.
    await clickHouse(url, 'SYSTEM STOP VIEW due.llm_usage_hourly_refresh');
    await clickHouse(
      url,
      `ALTER TABLE due.llm_usage_cells UPDATE changed = changed - INTERVAL 1 HOUR WHERE 1
       SETTINGS mutations_sync = 2`,
    );
    await makeClickHouseRollUps(url, 'due');
    assert.ok((await rows()) >= 2);
  });
});
