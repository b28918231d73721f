import { keptSumsOnInfluxdb } from './kept-sums-on-influxdb.ts';

// test/gate/kept-sums.test.ts has the other places.
keptSumsOnInfluxdb(['policy']);
