-- Under which policy it was decided that a request waits: under another one it may be free by now, and nobody
-- asked later may go before it. Of rows written before it is not known, so they are decided again when somebody asks.
ALTER TABLE router.deferred ADD COLUMN policy_version text;
