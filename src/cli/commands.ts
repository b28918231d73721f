import type { CliCommand } from './io.ts';

/** Commands, in the order of `--help`. */
export const commands: Readonly<Record<string, () => Promise<CliCommand>>> = {
  doctor: async () => await import('./doctor.ts'),
  count: async () => await import('./count.ts'),
  report: async () => await import('./report.ts'),
  forecast: async () => await import('./forecast.ts'),
  top: async () => await import('./top.ts'),
  prices: async () => await import('./prices.ts'),
  reprice: async () => await import('./reprice.ts'),
  rollup: async () => await import('./rollup.ts'),
  reconcile: async () => await import('./reconcile.ts'),
  setup: async () => await import('./setup.ts'),
  backup: async () => await import('./backup.ts'),
  erase: async () => await import('./erase.ts'),
  export: async () => await import('./export.ts'),
  copy: async () => await import('./copy.ts'),
  config: async () => await import('./config.ts'),
  alerts: async () => await import('./alerts.ts'),
  budgets: async () => await import('./budgets.ts'),
  settings: async () => await import('./settings.ts'),
};
