import {
  alertMessage,
  type AlertMessage,
  type AlertMessageOptions,
} from '../message/alert-message.ts';
import { AlertChannel, type AlertDeliveryOptions } from './alert-channel.ts';
import { checkAddress, postJson } from './http-post.ts';

export interface AlertSlackOptions extends AlertDeliveryOptions, AlertMessageOptions {
  /** An incoming webhook of Slack, or of a service that takes the same, such as Mattermost. */
  readonly url: string;
  /** @default 'slack' */
  readonly name?: string;
  readonly fetch?: typeof fetch;
}

/** Characters of a header of Block Kit; more is refused. */
const HEADER_LENGTH = 150;

/** Posts alerts to a channel of Slack. */
export class AlertSlack extends AlertChannel {
  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertSlackOptions) {
    const { url, name = 'slack', fetch: send } = options;
    checkAddress('slack', url);
    super(name, options, async (alert, signal) => {
      const body = JSON.stringify(slackMessage(alertMessage(alert, options)));
      return await postJson({ url, body, signal, ...(send && { fetch: send }) });
    });
  }
}

/** `text` is for notifications and screen readers. */
function slackMessage({ title, text, facts, link }: AlertMessage): object {
  return {
    text: `${escaped(title)}\n${escaped(text)}`,
    unfurl_links: false,
    blocks: [
      { type: 'header', text: plain(cut(title)) },
      { type: 'section', text: plain(text) },
      {
        type: 'section',
        // Ten at most.
        fields: facts.slice(0, 10).map(({ label, value }) => plain(`${label}\n${value}`)),
      },
      ...(link
        ? [
            {
              type: 'actions',
              elements: [{ type: 'button', text: plain(link.label), url: link.url }],
            },
          ]
        : []),
    ],
  };
}

/** Names come from callers: in a plain text nothing is a mention, a link or an emoji. */
function plain(text: string): object {
  return { type: 'plain_text', text, emoji: false };
}

/** The three characters of Slack's control sequences: `<!channel>` would notify everybody. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string): string {
  return text.length <= HEADER_LENGTH ? text : `${text.slice(0, HEADER_LENGTH - 1)}…`;
}
