-- What people define: systems, services, SLOs, teams, calendars, exclusions. One row each, its content as it was accepted.
CREATE TABLE objects (
  kind       text        NOT NULL,
  name       text        NOT NULL,
  spec       jsonb       NOT NULL,
  -- Counts changes; what an editor read last, so that nobody overwrites what he has not seen.
  revision   bigint      NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (kind, name)
);

-- Every change, in the transaction that made it. Written once: who could change it could hide what he did.
CREATE TABLE audit (
  id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     timestamptz NOT NULL,
  actor  text        NOT NULL,
  origin text        NOT NULL,
  reason text        NOT NULL,
  action text        NOT NULL CHECK (action IN ('create', 'update', 'delete')),
  kind   text        NOT NULL,
  name   text        NOT NULL,
  before jsonb,
  after  jsonb
);
CREATE INDEX audit_object ON audit (kind, name, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is only added to';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
