import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { pages } from '../pages.ts';
import { Waiting } from './components/controls.tsx';
import { isolated } from './names.tsx';
import { componentOf, isPage } from './pages.tsx';
import { path } from './router.ts';
import { goToSignIn, identity, isAllowed, signOut } from './session.ts';
import { t } from './texts.ts';
import { choose, themes, wish } from './theme.ts';

export function App(): JSX.Element {
  const here = path.value;
  useEffect(() => {
    const page = pages.find((each) => each.path === here);
    if (page) document.title = `${t(page.title)} · ${t('app.name')}`;
  }, [here]);
  const Page = isPage(here) && isAllowed() ? componentOf(here) : Waiting;
  return (
    <>
      <a class="skip" href="#main">
        {t('app.skip')}
      </a>
      <header class="top">
        <strong class="brand">{t('app.name')}</strong>
        <nav aria-label={t('app.pages')}>
          {pages
            .filter(({ isListed }) => isListed)
            .map(({ path: to, title }) => (
              <a key={to} href={to} aria-current={to === here ? 'page' : undefined}>
                {t(title)}
              </a>
            ))}
        </nav>
        <div class="who" id="who">
          <Theme />
          <Who />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Page key={here} />
      </main>
    </>
  );
}

function Who(): JSX.Element | null {
  const { name, role } = identity.value;
  if (name && role) {
    return (
      <>
        <span>{t('app.signedInAs', { name: isolated(name), role: t(`role.${role}`) })}</span>
        <button class="plain sign-out" type="button" onClick={() => void signOut()}>
          {t('app.signOut')}
        </button>
      </>
    );
  }
  if (path.value === '/sign-in') return null;
  return (
    <button class="plain" type="button" onClick={goToSignIn}>
      {t('app.signIn')}
    </button>
  );
}

function Theme(): JSX.Element {
  const next = themes[(themes.indexOf(wish.value) + 1) % themes.length]!;
  return (
    <button
      class="plain theme"
      type="button"
      title={t('theme.next', { theme: t(`theme.${next}`) })}
      onClick={() => choose(next)}
    >
      <span aria-hidden="true">{{ auto: '◐', light: '☀', dark: '☾' }[wish.value]}</span>
      <span class="sr-only">{t('theme.now', { theme: t(`theme.${wish.value}`) })}</span>
    </button>
  );
}
