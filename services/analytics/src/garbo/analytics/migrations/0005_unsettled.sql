-- An unclear send of which no status came in time: it counts as accepted.
ALTER TABLE analytics.fact ADD COLUMN unsettled_at timestamptz;
