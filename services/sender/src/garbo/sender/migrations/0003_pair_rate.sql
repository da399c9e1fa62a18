-- How far one number has borrowed from later with one person (GCRA). One row a pair, for as long as the person is known.
CREATE TABLE sender.pair_rate (
    number     text NOT NULL,
    contact_id uuid NOT NULL,
    -- Microseconds since 1970; 0: nothing was ever sent.
    tat_us     bigint NOT NULL,
    PRIMARY KEY (number, contact_id)
) WITH (fillfactor = 80);
