/**
 * One report of one instance on one account, atomically.
 *
 * `KEYS`: the account, the index of its budget. `ARGV`: see `argumentsOf` in `redis.ts`. Fields of the account:
 *
 * `<instance>` is the instance and its serial number of the account: both begin at zero together.
 *
 * - `t:<bucket>` spent by all. It only rises: an instance that knows of more than the store brings back what the
 *   store has lost.
 * - `s:<bucket>:<instance>` what of it that instance reported last, and when, so that a report that comes twice counts
 *   once. It is kept for ten minutes: a report says itself what of it was acknowledged.
 * - `l:<instance>` its lease: held, reserved for running calls, end. After the end only what was reserved still
 *   counts, a minute later as spent: the provider bills calls whose process was killed. Should it only have been cut
 *   off, that is taken for reported by it.
 * - `x:<share>` bucket in which the share was reported as reached; `f` the fullness that was announced; `w` when
 *   leases of others were last asked for.
 */
export const SYNC_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local account, index = KEYS[1], KEYS[2]
local instance, channel, name, member = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lease, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local oldest, bucketEnds, endsAt = tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local reserved, keep, want, least = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local buckets, current = tonumber(ARGV[14]), nil
local function text(number) return string.format('%.0f', number) end

local field = {}
local flat = redis.call('HGETALL', account)
for i = 1, #flat, 2 do field[flat[i]] = flat[i + 1] end
local function set(key, value)
  field[key] = value
  redis.call('HSET', account, key, value)
end
local function drop(key)
  field[key] = nil
  redis.call('HDEL', account, key)
end

local at = 15
for _ = 1, buckets do
  local bucket, own, known, seen = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  at = at + 4
  current = bucket
  local mine = 's:' .. bucket .. ':' .. instance
  local before = math.max(tonumber(string.match(field[mine] or '0', '^%d+')), known)
  local total = math.max(tonumber(field['t:' .. bucket] or '0'), seen) + math.max(0, own - before)
  if total > 0 then set('t:' .. bucket, text(total)) end
  local told = math.max(own, before)
  if told > 0 then set(mine, text(told) .. ' ' .. text(now)) end
end

local spent, held, instances, others, running_elsewhere = 0, 0, 1, 0, 0
local totals, old, lost = {}, {}, {}
for key, value in pairs(field) do
  local kind = string.sub(key, 1, 2)
  if kind == 't:' then
    local bucket = string.sub(key, 3)
    if tonumber(bucket) < oldest then old[#old + 1] = key
    else
      spent = spent + tonumber(value)
      totals[#totals + 1] = bucket
      totals[#totals + 1] = value
    end
  elseif kind == 's:' then
    local reported = tonumber(string.match(value, ' (%d+)$') or '0')
    if now > reported + 600000 then old[#old + 1] = key end
  elseif kind == 'l:' and key ~= 'l:' .. instance then
    local has, running, ends = string.match(value, '(%d+) (%d+) (%d+)')
    ends = tonumber(ends)
    if now < ends then
      instances = instances + 1
      others = others + tonumber(has)
      held = held + tonumber(has)
      running_elsewhere = running_elsewhere + tonumber(running)
    elseif now < ends + 60000 then
      held = held + tonumber(running)
      running_elsewhere = running_elsewhere + tonumber(running)
    else
      old[#old + 1] = key
      if tonumber(running) > 0 then lost[string.sub(key, 3)] = tonumber(running) end
    end
  end
end
for _, key in ipairs(old) do drop(key) end
for dead, running in pairs(lost) do
  local total, its = 't:' .. current, 's:' .. current .. ':' .. dead
  set(total, text(tonumber(field[total] or '0') + running))
  set(its, text(tonumber(string.match(field[its] or '0', '^%d+')) + running) .. ' ' .. text(now))
  spent = spent + running
  totals[#totals + 1] = current
  totals[#totals + 1] = field[total]
end

local free = limit - spent - held - keep
local extra = 0
if want > 0 and free > 0 then
  local share = math.max(free / (2 * instances), least)
  extra = math.floor(math.min(want, share, free))
  if extra < math.min(want, least) then extra = 0 end
end
local mine = keep + extra
held = held + mine
if mine > 0 or reserved > 0 then
  set('l:' .. instance, text(mine) .. ' ' .. text(math.min(mine, reserved)) .. ' ' .. text(now + lease))
elseif field['l:' .. instance] then drop('l:' .. instance) end
if want > 0 and extra < math.min(want, least) and others > 0 and now > tonumber(field['w'] or '0') + 50 then
  set('w', text(now))
  redis.call('PUBLISH', channel, 'wanted ' .. name)
end

local full = 'low'
if spent >= limit or (least > 0 and limit - spent < least) then full = 'full'
elseif spent + held >= limit / 2 then full = 'half' end
local announced = full .. ' ' .. ARGV[6] .. ' ' .. bucketEnds
if field['f'] ~= announced and (full ~= 'low' or field['f']) then
  set('f', announced)
  redis.call('PUBLISH', channel, 'fullness ' .. announced .. ' ' .. name)
end

local reached = {}
while at <= #ARGV do
  local share = ARGV[at]
  at = at + 1
  if spent >= limit * tonumber(share) and tonumber(field['x:' .. share] or '-1') < oldest then
    set('x:' .. share, current)
    reached[#reached + 1] = share
  end
end

local expires = math.max(endsAt, now) + 3600000
redis.call('PEXPIREAT', account, text(expires))
if spent + held > 0 then
  redis.call('ZADD', index, text(spent), member)
  redis.call('PEXPIREAT', index, text(expires))
else redis.call('ZREM', index, member) end
return { text(mine), instances, totals, reached, text(running_elsewhere) }
`;
