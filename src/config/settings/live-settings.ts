import type { Setting } from '../setting.ts';
import { oneOf, seconds, string } from './kinds.ts';

/** Store of the live switches. */
export const liveSettings: readonly Setting[] = [
  {
    key: 'settings.store',
    path: 'settings.store',
    block: 'distribution',
    kind: oneOf('memory', 'file', 'redis'),
    env: ['TOKEN_METER_SETTINGS_STORE'],
    default: 'file',
    description: 'Store of the live switches. Setting REDIS_URL selects redis.',
  },
  {
    key: 'settings.when_unknown',
    path: 'settings.whenUnknown',
    block: 'distribution',
    kind: oneOf('hold', 'off', 'default'),
    env: ['TOKEN_METER_SETTINGS_WHEN_UNKNOWN'],
    default: 'hold',
    description:
      'What happens to calls while the store has never answered and nothing is known from before: records wait for it (hold), are not made (off), or are made as configured (default).',
  },
  {
    key: 'settings.file.path',
    path: 'settings.file.path',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_SETTINGS_PATH'],
    default: '.token-meter/settings.json',
    description: 'Path of the file store.',
  },
  {
    key: 'settings.redis.url',
    path: 'settings.redis.url',
    block: 'distribution',
    kind: { type: 'redis' },
    env: ['REDIS_URL'],
    default: 'redis://localhost:6379',
    description: 'URL of Redis.',
  },
  {
    key: 'settings.redis.key_prefix',
    path: 'settings.redis.keyPrefix',
    block: 'distribution',
    kind: string,
    env: ['TOKEN_METER_REDIS_KEY_PREFIX'],
    default: 'otel-token-meter',
    description: 'Prefix of all keys in Redis.',
  },
  {
    key: 'settings.redis.poll_interval',
    path: 'settings.redis.pollIntervalMs',
    block: 'distribution',
    kind: seconds(0.1, 3600),
    env: ['TOKEN_METER_POLL_INTERVAL'],
    default: 15_000,
    description: 'Seconds between polls, the fallback when push messages are lost.',
  },
];
