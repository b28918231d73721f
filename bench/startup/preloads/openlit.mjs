import { createRequire } from 'node:module';

const { default: openlit } = createRequire(import.meta.url)('openlit');

openlit.init({ applicationName: 'bench', pricingJson: '{}' });
