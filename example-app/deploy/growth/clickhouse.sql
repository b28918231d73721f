-- Fills the ledger of `otel-token-meter setup clickhouse` from `otel_logs`, the table that the ClickHouse exporter of
-- the Collector writes (contrib 0.100 or newer). Run it in the database of the ledger, after the set-up; otel_logs may
-- be in another one. Events of other instrumentations have no record id and are left out. A log record that comes
-- twice is the same call: time and record_id are its key.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_usage_from_otel_logs TO llm_usage AS
SELECT
    Timestamp                                                                  AS time,
    LogAttributes['token_meter.record_id']                                     AS record_id,
    if(ServiceName = '', 'unknown_service', ServiceName)                       AS service,
    ResourceAttributes['deployment.environment.name']                          AS environment,
    LogAttributes['gen_ai.operation.name']                                     AS operation,
    LogAttributes['gen_ai.provider.name']                                      AS provider,
    LogAttributes['gen_ai.request.model']                                      AS model,
    LogAttributes['gen_ai.response.model']                                     AS response_model,
    LogAttributes['gen_ai.response.id']                                        AS response_id,
    LogAttributes['user.id']                                                   AS user,
    LogAttributes['gen_ai.conversation.id']                                    AS conversation,
    LogAttributes['token_meter.team']                                          AS team,
    mapApply((k, v) -> (substring(k, length('token_meter.dimension.') + 1), v),
        mapFilter((k, v) -> startsWith(k, 'token_meter.dimension.'), LogAttributes)) AS dimensions,
    LogAttributes['gen_ai.agent.name']                                         AS agent,
    LogAttributes['token_meter.run_id']                                        AS run_id,
    LogAttributes['token_meter.tool_name']                                     AS tool,
    LogAttributes['token_meter.steps']                                         AS steps,
    toFloat64OrZero(LogAttributes['token_meter.duration_ms'])                  AS duration_ms,
    round(toFloat64OrNull(LogAttributes['gen_ai.response.time_to_first_chunk']) * 1e9) / 1e6 AS time_to_first_chunk_ms,
    toUInt64OrNull(LogAttributes['gen_ai.usage.input_tokens'])                 AS input_tokens,
    toUInt64OrNull(LogAttributes['gen_ai.usage.output_tokens'])                AS output_tokens,
    input_tokens + output_tokens                                               AS total_tokens,
    toUInt64OrNull(LogAttributes['gen_ai.usage.cache_read.input_tokens'])      AS cache_read_tokens,
    coalesce(toUInt64OrNull(LogAttributes['gen_ai.usage.cache_creation.input_tokens']),
        toUInt64OrNull(LogAttributes['gen_ai.usage.cache_write.input_tokens'])) AS cache_write_tokens,
    toUInt64OrNull(LogAttributes['gen_ai.usage.reasoning.output_tokens'])      AS reasoning_tokens,
    LogAttributes['token_meter.token_source']                                  AS token_source,
    LogAttributes['token_meter.outcome']                                       AS outcome,
    LogAttributes['error.type']                                                AS error_type,
    toInt64(round(toFloat64OrNull(LogAttributes['token_meter.cost_usd']) * 1e9)) AS cost_nanos,
    LogAttributes['token_meter.cost_source']                                   AS cost_source,
    LogAttributes['token_meter.cost_missing']                                  AS cost_missing,
    LogAttributes['token_meter.service_tier']                                  AS service_tier,
    -- The Collector stores every value as a text: what is counted becomes a number again.
    jsonMergePatch(
        toJSONString(mapFilter((k, v) -> NOT (startsWith(k, 'gen_ai.')
            OR (startsWith(k, 'token_meter.') AND k != 'token_meter.advisor.model')
            OR k IN ('user.id', 'error.type', 'event.name')), LogAttributes)),
        toJSONString(mapApply((k, v) -> (k, toFloat64OrZero(v)), mapFilter((k, v) -> startsWith(k, 'token_meter.usage.')
            OR startsWith(k, 'gen_ai.usage.audio.') OR startsWith(k, 'gen_ai.usage.image.'), LogAttributes)))) AS attributes,
    TraceId                                                                    AS trace_id,
    SpanId                                                                     AS span_id
FROM otel_logs
WHERE LogAttributes['token_meter.record_id'] != '';
