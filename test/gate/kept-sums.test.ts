import { keptSumsOnInfluxdb } from '../conformance/usage-readers/kept-sums-on-influxdb.ts';

keptSumsOnInfluxdb(['database', 'contract2', 'contract3']);
