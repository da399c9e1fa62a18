-- Files that messages show, given to Garbo or fetched by it: uploaded to the platform once a number, and sent by its id
-- (docs/adr/0027-sent-media.md). A message waits for them parked, `media`; those of the same person behind it, `order`.
CREATE INDEX waiting_media ON sender.waiting (number, media_next, brand, seq)
    WHERE parked_why = 'media' AND media_next IS NOT NULL;
CREATE INDEX waiting_behind ON sender.waiting (contact_id, number, lane, seq)
    WHERE parked_until = 'infinity' AND parked_why IN ('media', 'order');

-- A brand's files, by their content. The bytes lie in the store.
CREATE TABLE sender.media_file (
    brand      text NOT NULL,
    sha256     text NOT NULL,
    key        text NOT NULL,
    mime_type  text NOT NULL,
    size_bytes bigint NOT NULL,
    animated   boolean NOT NULL,
    kept_until timestamptz NOT NULL,
    PRIMARY KEY (brand, sha256)
);
CREATE INDEX media_file_ends ON sender.media_file (kept_until);

-- What the store holds and no file of ours is, from an instant on: a writer was killed, or it is over. Deleted there first.
CREATE TABLE sender.media_leftover (
    key   text PRIMARY KEY,
    since timestamptz NOT NULL
);

-- What a link led to, by the link's hash.
CREATE TABLE sender.media_link (
    brand      text NOT NULL,
    source     text NOT NULL,
    sha256     text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (brand, source)
);

-- By which id the platform knows a file that a number uploaded.
CREATE TABLE sender.media_upload (
    number      text NOT NULL,
    sha256      text NOT NULL,
    media_id    text NOT NULL,
    uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (number, sha256)
);
CREATE INDEX media_upload_id ON sender.media_upload (number, media_id);

-- Fetches and uploads that somebody does, that are to be tried again, or that will not be done.
CREATE TABLE sender.media_work (
    name          text PRIMARY KEY,
    claimed_until timestamptz NOT NULL,
    tries         integer NOT NULL DEFAULT 0,
    -- Why not; it is tried anew after `claimed_until`.
    fault         text
);
