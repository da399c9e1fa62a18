-- A message may be granted again, the next day under another grant id: the one that begins last is the newest.
ALTER TABLE sender.message ADD COLUMN not_before timestamptz NOT NULL DEFAULT '-infinity';
