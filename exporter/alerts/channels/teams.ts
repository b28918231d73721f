import {
  alertMessage,
  type AlertMessage,
  type AlertMessageOptions,
} from '../message/alert-message.ts';
import type { UsageAlert } from '../usage-alert.ts';
import { AlertChannel, type AlertDeliveryOptions } from './alert-channel.ts';
import { checkAddress, postJson } from './http-post.ts';

export interface AlertTeamsOptions extends AlertDeliveryOptions, AlertMessageOptions {
  /** Of a workflow "when a Teams webhook request is received". Connectors of Office 365 are retired. */
  readonly url: string;
  /** @default 'teams' */
  readonly name?: string;
  readonly fetch?: typeof fetch;
}

const COLOR = { ok: 'good', warning: 'warning', alert: 'attention' } as const;

/** Posts alerts to a channel or chat of Microsoft Teams as Adaptive Cards. */
export class AlertTeams extends AlertChannel {
  /** @throws TokenMeterError `INVALID_OPTION` naming the wrong option. */
  constructor(options: AlertTeamsOptions) {
    const { url, name = 'teams', fetch: send } = options;
    checkAddress('teams', url);
    super(name, options, async (alert, signal) => {
      const body = JSON.stringify(teamsMessage(alert, alertMessage(alert, options)));
      return await postJson({ url, body, signal, ...(send && { fetch: send }) });
    });
  }
}

function teamsMessage(alert: UsageAlert, { title, text, facts, link }: AlertMessage): object {
  const heading = { size: 'large', weight: 'bolder', color: COLOR[alert.level] };
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    msteams: { width: 'Full' },
    body: [
      lineOf([{ text: title, ...heading }]),
      lineOf([{ text }]),
      ...facts.map(({ label, value }) =>
        lineOf([{ text: `${label}: `, weight: 'bolder' }, { text: value }], 'small'),
      ),
    ],
    ...(link && { actions: [{ type: 'Action.OpenUrl', title: link.label, url: link.url }] }),
  };
  return {
    type: 'message',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card },
    ],
  };
}

/** Names come from callers. A `TextBlock` or `FactSet` would read Markdown in them; a `TextRun` does not. */
function lineOf(runs: readonly object[], spacing?: string): object {
  return {
    type: 'RichTextBlock',
    ...(spacing !== undefined && { spacing }),
    inlines: runs.map((run) => ({ type: 'TextRun', ...run })),
  };
}
