import { fillClickHouse, rollUpClickHouse } from '../../support/clickhouse.ts';
import { onClickHouse } from './clickhouse-suite.ts';

onClickHouse((suite) => {
  // test/gate/clickhouse-readers.test.ts has the calls alone, and the roll-ups alone.
  suite(
    'over roll-ups, into which calls came late, and some twice',
    'late',
    async (server, records) => {
      const late = records.filter((_, index) => index % 7 === 3);
      const inTime = records.filter((_, index) => index % 7 !== 3);
      await fillClickHouse(server.url, 'late', inTime);
      await rollUpClickHouse(server.url, 'late');
      await fillClickHouse(server.url, 'late', [...late, ...inTime.slice(15_000)]);
    },
  );
});
