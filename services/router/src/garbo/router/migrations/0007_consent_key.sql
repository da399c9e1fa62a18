-- The ids of consent records are each client's own: nobody can take another one's.
ALTER TABLE router.consent_record DROP CONSTRAINT consent_record_pkey;
ALTER TABLE router.consent_record ADD PRIMARY KEY (actor, consent_id);
