import { render } from 'preact';
import { App } from './app.tsx';
import { followLinks } from './router.ts';
import { isPage } from './pages.tsx';
import { askIdentity } from './session.ts';

followLinks(isPage);
void askIdentity();
render(<App />, document.body);
