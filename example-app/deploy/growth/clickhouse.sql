-- The ledger: one row a call. Twins of at-least-once delivery fold by record_id.
CREATE TABLE llm_usage
(
    time               DateTime64(9, 'UTC') CODEC(Delta, ZSTD),
    record_id          UUID,
    service            LowCardinality(String),
    provider           LowCardinality(String),
    model              LowCardinality(String),
    operation          LowCardinality(String),
    outcome            LowCardinality(String),
    token_source       LowCardinality(String),
    user_id            String CODEC(ZSTD),
    conversation_id    String CODEC(ZSTD),
    input_tokens       Nullable(UInt32) CODEC(T64, ZSTD),
    output_tokens      Nullable(UInt32) CODEC(T64, ZSTD),
    cache_read_tokens  Nullable(UInt32) CODEC(T64, ZSTD),
    reasoning_tokens   Nullable(UInt32) CODEC(T64, ZSTD),
    cost_usd           Nullable(Float64) CODEC(ZSTD),
    duration_ms        Float32 CODEC(ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (service, user_id, time, record_id)
TTL toDateTime(time) + INTERVAL 400 DAY;

CREATE TABLE llm_usage_queue (message String)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka-0:9092,kafka-1:9092,kafka-2:9092',
         kafka_topic_list = 'llm_usage', kafka_group_name = 'clickhouse',
         kafka_format = 'RawBLOB', kafka_num_consumers = 8,
         kafka_max_block_size = 100000, kafka_skip_broken_messages = 100;

CREATE MATERIALIZED VIEW llm_usage_from_queue TO llm_usage AS
SELECT
    fromUnixTimestamp64Nano(JSONExtractInt(message, 'time_unix_nano'))             AS time,
    toUUIDOrZero(JSONExtractString(message, 'token_meter.record_id'))              AS record_id,
    JSONExtractString(message, 'service')                                          AS service,
    JSONExtractString(message, 'gen_ai.provider.name')                             AS provider,
    JSONExtractString(message, 'gen_ai.request.model')                             AS model,
    JSONExtractString(message, 'gen_ai.operation.name')                            AS operation,
    JSONExtractString(message, 'token_meter.outcome')                              AS outcome,
    JSONExtractString(message, 'token_meter.token_source')                         AS token_source,
    JSONExtractString(message, 'user.id')                                          AS user_id,
    JSONExtractString(message, 'gen_ai.conversation.id')                           AS conversation_id,
    JSONExtract(message, 'gen_ai.usage.input_tokens', 'Nullable(UInt32)')          AS input_tokens,
    JSONExtract(message, 'gen_ai.usage.output_tokens', 'Nullable(UInt32)')         AS output_tokens,
    JSONExtract(message, 'gen_ai.usage.cache_read.input_tokens', 'Nullable(UInt32)') AS cache_read_tokens,
    JSONExtract(message, 'gen_ai.usage.reasoning.output_tokens', 'Nullable(UInt32)') AS reasoning_tokens,
    JSONExtract(message, 'token_meter.cost_usd', 'Nullable(Float64)')              AS cost_usd,
    JSONExtractFloat(message, 'token_meter.duration_ms')                           AS duration_ms
FROM llm_usage_queue;

-- What dashboards read: an hour of a service and model in one row.
CREATE MATERIALIZED VIEW llm_usage_hourly
ENGINE = SummingMergeTree
ORDER BY (hour, service, provider, model, outcome)
AS SELECT
    toStartOfHour(time) AS hour, service, provider, model, outcome,
    count() AS calls, sum(ifNull(input_tokens, 0)) AS input_tokens,
    sum(ifNull(output_tokens, 0)) AS output_tokens, sum(ifNull(cost_usd, 0)) AS cost_usd
FROM llm_usage
GROUP BY hour, service, provider, model, outcome;
