import { effect, signal } from '@preact/signals';

/** `auto`: as the browser has it. The server reads the cookie, so that no page begins in another. */
export const themes = ['auto', 'light', 'dark'] as const;
type Wish = (typeof themes)[number];

const root = document.documentElement;
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

export const wish = signal<Wish>(themes.find((each) => each === root.dataset['theme']) ?? 'auto');
const isDark = signal(prefersDark.matches);
prefersDark.addEventListener('change', ({ matches }) => (isDark.value = matches));

/** What is shown, for what paints by itself. */
export const theme = signal('');

effect(() => {
  if (wish.value === 'auto') delete root.dataset['theme'];
  else root.dataset['theme'] = wish.value;
  theme.value = wish.value === 'auto' ? (isDark.value ? 'dark' : 'light') : wish.value;
});

/** For a year, or no longer. */
export function choose(next: Wish): void {
  wish.value = next;
  const seconds = next === 'auto' ? 0 : 31_536_000;
  document.cookie = `token_meter_theme=${next}; path=/; max-age=${seconds}; samesite=strict`;
}
