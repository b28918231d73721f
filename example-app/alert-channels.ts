import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  type AlertChannel,
  AlertEmail,
  AlertPagerDuty,
  AlertSlack,
  AlertTeams,
  AlertWebhook,
} from 'otel-token-meter/exporter';

/**
 * The configured channels. Throws `INVALID_OPTION` for a wrong one, without its secret.
 */
export function alertChannels(config: TokenMeterConfig['alerts']): readonly AlertChannel[] {
  const { language, publicUrl, webhookUrl, webhookSecret: secret } = config;
  const { slackUrl, teamsUrl, pagerdutyRoutingKey: routingKey, pagerdutyUrl, smtpUrl } = config;
  const { emailFrom = '', emailTo = [] } = config;
  const message = { language, ...(publicUrl !== undefined && { publicUrl }) };
  return [
    ...(webhookUrl === undefined
      ? []
      : [new AlertWebhook({ url: webhookUrl, ...(secret !== undefined && { secret }) })]),
    ...(slackUrl === undefined ? [] : [new AlertSlack({ url: slackUrl, ...message })]),
    ...(teamsUrl === undefined ? [] : [new AlertTeams({ url: teamsUrl, ...message })]),
    ...(routingKey === undefined
      ? []
      : [new AlertPagerDuty({ routingKey, url: pagerdutyUrl, ...message })]),
    ...(smtpUrl === undefined
      ? []
      : [new AlertEmail({ smtpUrl, from: emailFrom, to: emailTo, ...message })]),
  ];
}
