import { computed, signal } from '@preact/signals';

/** Where one is. Links of this site change it without a load. */
const place = signal({ path: location.pathname, search: location.search });

export const path = computed(() => place.value.path);
export const search = computed(() => place.value.search);

/** Goes on to an address of this site, or replaces the present one in the history. */
export function go(
  address: string,
  { replace = false }: { readonly replace?: boolean } = {},
): void {
  const isElsewhere = new URL(address, location.href).pathname !== location.pathname;
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  show();
  if (isElsewhere) scrollTo(0, 0);
}

function show(): void {
  place.value = { path: location.pathname, search: location.search };
}

/** Follows links and the back button. `isPage`: whether the console has a page of this path. */
export function followLinks(isPage: (path: string) => boolean): void {
  addEventListener('popstate', show);
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest('a');
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !isPlain || link.target !== '' || link.hasAttribute('download')) return;
    const { origin, pathname, search: query, hash } = new URL(link.href);
    if (origin !== location.origin || hash !== '' || !isPage(pathname)) return;
    event.preventDefault();
    go(pathname + query);
  });
}
