"""A witness inside the database: triggers that note every write of somebody who did not hold the lease for it.

They are put into the home of one sweep, and never into the product. Sessions tell their process in their application
name (``meddling``), leases in their owner; a write is noted in the transaction that it belongs to, so only what was
committed counts.
"""

from __future__ import annotations

import psycopg

from headersweep.states import Outcome

QUERIES = {
    "writes without the lease": "SELECT what, count(*), min(detail) FROM audit.violations GROUP BY what",
    "sessions whose process nobody knows": "SELECT DISTINCT application FROM audit.strangers",
}
"""Each must find nothing."""

SEEN = "SELECT count(*) FROM audit.seen"
"""How many visits and moves of shards the triggers looked at: none would mean that they were blind."""

SCRIPT = r"""
CREATE SCHEMA audit;
CREATE TABLE audit.violations (at timestamptz DEFAULT clock_timestamp(), what text, detail text);
CREATE TABLE audit.strangers (application text);
CREATE TABLE audit.seen (kind text);
GRANT USAGE ON SCHEMA audit TO PUBLIC;

CREATE FUNCTION audit.writer() RETURNS text LANGUAGE sql AS
$$ SELECT substring(current_setting('application_name') FROM 'pid=(\d+)') $$;

CREATE FUNCTION audit.holder(owner text) RETURNS text LANGUAGE sql AS
$$ SELECT split_part(owner, '/', 2) $$;

CREATE FUNCTION audit.note(what text, detail text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO audit.violations (what, detail) VALUES (what, 'session ' || current_setting('application_name') || ': ' || detail) $$;

CREATE FUNCTION audit.visit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    shard record;
    holds boolean;
BEGIN
    INSERT INTO audit.seen VALUES ('visit');
    IF audit.writer() IS NULL THEN
        INSERT INTO audit.strangers VALUES (current_setting('application_name'));
    END IF;
    SELECT s.* INTO shard FROM public.frontier f JOIN public.shards s ON s.id = f.shard_id
    WHERE f.run_id = NEW.run_id AND f.page_id = NEW.page_id;
    IF NEW.outcome = SKIPPED_LIMIT THEN  -- whoever finds a page beyond the limit decides about it, whoever's shard it is
        SELECT EXISTS (SELECT FROM public.shards s WHERE s.run_id = NEW.run_id
                       AND audit.holder(s.lease_owner) = audit.writer()) INTO holds;
    ELSE
        holds := coalesce(audit.holder(shard.lease_owner) = audit.writer(), false);
    END IF;
    IF NOT holds THEN
        PERFORM audit.note('a late visit', format('page %s of shard %s, held by %s', NEW.page_id, shard.id,
                                                  coalesce(shard.lease_owner, 'nobody')));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION audit.shard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    told text := format('shard %s, fence %s to %s, done %s to %s, held by %s until %s, then by %s until %s', NEW.id,
                        OLD.fence, NEW.fence, OLD.done_upto, NEW.done_upto, OLD.lease_owner, OLD.lease_until,
                        NEW.lease_owner, NEW.lease_until);
    mine boolean := coalesce(audit.holder(OLD.lease_owner) = audit.writer(), false);
BEGIN
    INSERT INTO audit.seen VALUES ('shard');
    IF NEW.fence < OLD.fence THEN
        PERFORM audit.note('a fence that shrank', told);
    END IF;
    IF NEW.fence > OLD.fence THEN
        IF NEW.lease_owner IS NULL THEN
            RETURN NULL;  -- an operator took the run away from everybody
        END IF;
        IF audit.holder(NEW.lease_owner) IS DISTINCT FROM audit.writer() THEN
            PERFORM audit.note('a lease for another', told);
        END IF;
        IF OLD.lease_until >= clock_timestamp() THEN
            PERFORM audit.note('a live lease taken', told);
        END IF;
        RETURN NULL;
    END IF;
    IF NEW.lease_owner IS NOT NULL AND NEW.lease_owner IS DISTINCT FROM OLD.lease_owner THEN
        PERFORM audit.note('a lease without a fence', told);
    END IF;
    IF mine THEN
        RETURN NULL;
    END IF;
    -- From here on the writer does not hold the shard. It may add pages to it (grow), count those among them that are
    -- decided, end the lease of a holder that is dead (expire), and an operator may open a shard that nobody holds.
    IF NEW.lease_until IS DISTINCT FROM OLD.lease_until AND (NEW.lease_until IS NULL OR NEW.lease_until > clock_timestamp()) THEN
        PERFORM audit.note('a late move of a lease', told);
    END IF;
    IF NEW.done_upto > OLD.done_upto OR (NEW.done_upto < OLD.done_upto AND OLD.lease_owner IS NOT NULL) THEN
        PERFORM audit.note('a late move of the low-water mark', told);
    END IF;
    IF NEW.visited > OLD.visited AND NEW.top = OLD.top THEN
        PERFORM audit.note('a late count of visits', told);
    END IF;
    IF OLD.lease_owner IS NOT NULL AND (NEW.known_upto IS DISTINCT FROM OLD.known_upto
            OR NEW.suspect_page_id IS DISTINCT FROM OLD.suspect_page_id
            OR NEW.lost_leases IS DISTINCT FROM OLD.lost_leases) THEN
        PERFORM audit.note('a late change of a shard', told);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit AFTER INSERT ON public.visits FOR EACH ROW EXECUTE FUNCTION audit.visit();
CREATE TRIGGER audit AFTER UPDATE ON public.shards FOR EACH ROW EXECUTE FUNCTION audit.shard();
""".replace("SKIPPED_LIMIT", str(int(Outcome.SKIPPED_LIMIT)))


def install(owner_url: str, sql: str = "") -> None:
    """Watch over all writes from now on; do something more to the database before."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute(sql.encode())
        connection.execute(SCRIPT)
