-- The days' tables belong to whoever migrates. These two act as that owner, so the router's own role makes and drops
-- days without owning a table, and may only read and write rows.
ALTER FUNCTION router.make_partitions(int, date) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION router.drop_partitions(int) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
