import { onInfluxDb } from './influxdb-suite.ts';

// test/gate/influxdb-readers.test.ts has the contracts of 2.x and 3.x.
onInfluxDb(['1']);
