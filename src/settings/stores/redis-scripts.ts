import type { SettingValue } from '../settings-schema.ts';
import type { SettingsWrite, StoredSettings } from '../stored-settings.ts';
import { isVersion, toStoredSettings } from '../stored-settings-json.ts';

/**
 * `applyWrite` as one atomic step, with the audit entry and the push to every instance, which a
 * crash between two commands could otherwise skip. Keys and values arrive and stay as JSON text:
 * Lua would lose digits of numbers and turn empty objects into arrays.
 */
export const WRITE_SCRIPT = `
local at = 0
local function take() at = at + 1 return ARGV[at] end
local function takePairs()
  local pairs = {}
  for _ = 1, tonumber(take()) do local key = take() pairs[key] = take() end
  return pairs
end
local function object(values)
  local keys, parts = {}, {}
  for key in pairs(values) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = key .. ':' .. values[key] end
  return '{' .. table.concat(parts, ',') .. '}'
end
local function whole(number) return string.format('%.0f', number) end
local function member(name, json) return json == '' and '' or ',"' .. name .. '":' .. json end

local channel, limit = take(), take()
local known = { version = tonumber(take()), time = take(), actor = take(), values = takePairs() }
local ifVersion, time, actor, reason = take(), take(), take(), take()

local stored = { version = 0, time = '', actor = '', values = {} }
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if name == 'version' then stored.version = tonumber(value)
  elseif name == 'time' or name == 'actor' then stored[name] = value
  else stored.values[name] = value end
end

local entries = {}
local function note(version, action, from, to, undo)
  entries[#entries + 1] = '{"version":' .. whole(version) .. ',"time":' .. time
    .. ',"actor":' .. actor .. ',"action":"' .. action .. '"'
    .. member('reason', action == 'change' and reason or '')
    .. ',"from":' .. object(from) .. ',"to":' .. object(to) .. ',"undo":' .. object(undo) .. '}'
end

if stored.version < known.version then
  stored = known
  note(stored.version, 'restore', {}, {}, {})
elseif stored.version == known.version and object(stored.values) ~= object(known.values) then
  stored.version, stored.time, stored.actor = stored.version + 1, time, actor
  note(stored.version, 'adopt', {}, {}, {})
end

local outcome = 'unchanged'
if ifVersion ~= '' and tonumber(ifVersion) ~= stored.version then
  outcome = 'conflict'
else
  local from, to, undo = {}, {}, {}
  for _ = 1, tonumber(take()) do
    local key, value, default = take(), take(), take()
    local set = stored.values[key]
    local before = set or default
    local differs
    if value == 'null' then differs = set ~= nil else differs = value ~= before end
    if differs then
      outcome = 'changed'
      from[key], undo[key] = before, set or 'null'
      if value == 'null' then
        to[key], stored.values[key] = default, nil
      else
        to[key], stored.values[key] = value, value
      end
    end
  end
  if outcome == 'changed' then
    stored.version, stored.time, stored.actor = stored.version + 1, time, actor
    note(stored.version, 'change', from, to, undo)
  end
end

local state = '{"version":' .. whole(stored.version) .. ',"values":' .. object(stored.values)
  .. member('updatedAt', stored.time) .. member('updatedBy', stored.actor) .. '}'
if #entries > 0 then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'version', whole(stored.version), 'time', stored.time,
    'actor', stored.actor)
  for key, value in pairs(stored.values) do redis.call('HSET', KEYS[1], key, value) end
  for _, entry in ipairs(entries) do
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', limit, '*', 'entry', entry)
  end
  redis.call('PUBLISH', channel, state)
end
return { outcome, state }
`;

/** Times are the server's, so that instances need not agree about the time. */
export const REPORT_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f ', now, now + ARGV[2]) .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], math.max(redis.call('PTTL', KEYS[1]), 2 * ARGV[2]))
`;

export const INSTANCES_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local seen, till, report = string.match(fields[i + 1], '^(%d+) (%d+) (.*)$')
  if till and tonumber(till) > now then
    found[#found + 1] = seen
    found[#found + 1] = report
  else
    redis.call('HDEL', KEYS[1], fields[i])
  end
end
return found
`;

/** The arguments of `WRITE_SCRIPT` for a write. */
export function writeArguments(
  channel: string,
  auditLimit: number,
  { patch, defaults, known, ifVersion, time, actor, reason }: SettingsWrite,
): string[] {
  const json = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value));
  const values = Object.entries(known.values);
  const changes = Object.entries(patch);
  return [
    channel,
    String(auditLimit),
    String(known.version),
    json(known.updatedAt),
    json(known.updatedBy),
    String(values.length),
    ...values.flatMap(([key, value]) => [json(key), json(value)]),
    ifVersion === undefined ? '' : String(ifVersion),
    json(time),
    json(actor),
    json(reason),
    String(changes.length),
    ...changes.flatMap(([key, value]) => [json(key), json(value), json(defaults[key])]),
  ];
}

/** The stored hash as a state. Undefined when something else lies there. */
export function stateOfHash(hash: Readonly<Record<string, string>>): StoredSettings | undefined {
  const { version = '0', time, actor, ...fields } = hash;
  try {
    const values: [string, SettingValue][] = Object.entries(fields).map(([key, value]) => [
      JSON.parse(key) as string,
      JSON.parse(value) as SettingValue,
    ]);
    if (!isVersion(Number(version))) return undefined;
    return toStoredSettings({
      version: Number(version),
      values: Object.fromEntries(values),
      updatedAt: time ? JSON.parse(time) : undefined,
      updatedBy: actor ? JSON.parse(actor) : undefined,
    });
  } catch {
    return undefined;
  }
}
