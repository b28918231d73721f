import { render } from 'preact';
import { App } from './app.tsx';
import { startLive } from './api/live.ts';
import { followLinks } from './router.ts';
import { isPage } from './pages.tsx';
import { askIdentity, followIdentity } from './session.ts';

followLinks(isPage);
// The document asks for it ahead of the script: with it, the page is rendered once.
await askIdentity();
// Before the page is rendered: its first questions wait for the stream.
followIdentity(startLive);
render(<App />, document.body);
