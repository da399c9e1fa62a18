"""What Prometheus can see of our dealings with Kafka. Labels are groups and topics: few, known, no people."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

PUBLISHED: Final = Counter(
    "garbo_kafka_published_records",
    "Records published, by outcome: acknowledged, unknown, too_large",
    ["outcome"],
)
PRODUCER_REBUILDS: Final = Counter(
    "garbo_kafka_producer_rebuilds", "Producers thrown away after an error", ["because"]
)
DELIVERED: Final = Counter(
    "garbo_kafka_delivered_records",
    "Records whose offset is done, by outcome: handled, dead_letter, skipped",
    ["group", "topic", "outcome"],
)
HELD: Final = Counter(
    "garbo_kafka_held_records",
    "Refused records not buried yet, for nothing of their topic is good: each time they are looked at",
    ["group"],
)
DEAD_LETTERS: Final = Counter(
    "garbo_dead_letters",
    "Dead letters by the topic they came from and the kind of their reason",
    ["to", "topic", "reason"],
)
DEAD_LETTERS_CUT: Final = Counter(
    "garbo_kafka_dead_letters_cut", "Dead letters that hold the beginning of their record only", ["group"]
)
RETRIES: Final = Counter("garbo_kafka_retries", "Batches handed over again later", ["group"])
BATCH_SECONDS: Final = Histogram(
    "garbo_kafka_batch_seconds",
    "From a batch's arrival to its commit",
    ["group"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
BATCH_RECORDS: Final = Histogram(
    "garbo_kafka_batch_records",
    "Records in a batch",
    ["group"],
    buckets=(1, 5, 10, 25, 50, 100, 250, 500, 1000),
)
COMMIT_FAILURES: Final = Counter(
    "garbo_kafka_commit_failures",
    "Commits that did not succeed, by reason: rebalanced, error",
    ["group", "reason"],
)
POLL_FAILURES: Final = Counter("garbo_kafka_poll_failures", "Polls that raised", ["group"])
REBALANCES: Final = Counter("garbo_kafka_rebalances", "Times the partitions were revoked", ["group"])
LAG_RECORDS: Final = Gauge("garbo_kafka_lag_records", "Records not yet done", ["group", "topic", "partition"])
LAG_SECONDS: Final = Gauge(
    "garbo_kafka_lag_seconds", "Age of the last record taken; 0 when there is no lag", ["group"]
)
POLL_AGE_SECONDS: Final = Gauge("garbo_kafka_poll_age_seconds", "Since the last poll returned", ["group"])
STUCK_SECONDS: Final = Gauge(
    "garbo_kafka_stuck_seconds",
    "Since a partition with records that wait was last read, of the one that waits longest",
    ["group"],
)
PASSED_OVER: Final = Counter(
    "garbo_kafka_passed_over", "Records of a followed topic that could not be read", ["topic"]
)
