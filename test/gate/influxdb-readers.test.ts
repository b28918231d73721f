import { onInfluxDb } from '../conformance/usage-readers/influxdb-suite.ts';

onInfluxDb(['2', '3']);
