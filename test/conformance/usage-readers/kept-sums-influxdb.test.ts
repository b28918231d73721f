import { keptSumsOnInfluxdb } from './kept-sums-on-influxdb.ts';

// The other two places are tested by `npm run test:slow`.
keptSumsOnInfluxdb(['policy', 'contract3']);
