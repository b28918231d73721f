// @ts-check
import { element } from '../dom.js';
import { followSettings } from '../settings-live.js';
import { t } from '../strings.js';

/**
 * Shows what is recorded and follows changes. Hidden without read permission.
 *
 * @param {HTMLElement} banner
 * @returns {() => boolean} whether calls are recorded, as far as it is known
 */
export function followSwitches(banner) {
  let metering = true;
  followSettings({
    onSettings({ settings }) {
      metering = settings.enabled;
      const what = !settings.enabled
        ? 'nothing'
        : settings.token_statistics
          ? 'everything'
          : 'basic';
      banner.dataset['tone'] = what === 'everything' ? 'good' : 'warn';
      banner.replaceChildren(
        t(`chat.recorded.${what}`),
        ' ',
        element('a', { href: '/settings' }, t('chat.recorded.change')),
      );
      banner.hidden = false;
    },
    onStatus() {},
    onInstances() {},
    onConnection() {},
    onSignedOut() {
      banner.hidden = true;
    },
  });
  return () => metering;
}
