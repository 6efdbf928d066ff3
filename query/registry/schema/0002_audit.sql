-- Every change, in the transaction that made it: written by triggers, so that no way in leaves it out, a hand at the database
-- included. Written once: who could change it could hide what he did.
CREATE TABLE audit (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  -- Who: user, token, part of Surety, or a role of the database.
  actor      text        COLLATE "C" NOT NULL,
  -- By what: session, token NAME, command line, database.
  via        text        NOT NULL,
  -- From where: address of the caller.
  origin     text        NOT NULL,
  -- Why, in the author's words.
  reason     text        NOT NULL,
  -- The request or the apply that it was part of.
  request    text        COLLATE "C" NOT NULL,
  -- refuse: nothing was changed; somebody was not let in.
  action     text        COLLATE "C" NOT NULL CHECK (action IN ('create', 'update', 'delete', 'refuse')),
  kind       text        COLLATE "C" NOT NULL,
  name       text        COLLATE "C" NOT NULL,
  before     jsonb,
  after      jsonb
);
CREATE INDEX audit_object ON audit (kind, name, id);
CREATE INDEX audit_actor ON audit (actor, id);
CREATE INDEX audit_at ON audit (at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A setting of the transaction, which says who is at work; empty when nobody said.
CREATE FUNCTION author_setting(setting text, otherwise text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(current_setting('surety.' || setting, true), ''), otherwise)
$$;

-- Arguments: the kind ('' for the row's own), the column that names the row, then columns that are left out (secrets, and what
-- is not part of the object). An update that changes nothing else leaves no row.
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  whole jsonb := to_jsonb(CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END);
  old_row jsonb := CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) - TG_ARGV[2:] END;
  new_row jsonb := CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) - TG_ARGV[2:] END;
BEGIN
  IF old_row = new_row THEN RETURN NULL; END IF;
  INSERT INTO audit (at, actor, via, origin, reason, request, action, kind, name, before, after)
  VALUES (
    author_setting('at', clock_timestamp()::text)::timestamptz,
    author_setting('actor', current_user::text), author_setting('via', 'database'), author_setting('origin', ''),
    author_setting('reason', ''), author_setting('request', ''),
    CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
    CASE TG_ARGV[0] WHEN '' THEN whole ->> 'kind' ELSE TG_ARGV[0] END, whole ->> TG_ARGV[1], old_row, new_row
  );
  RETURN NULL;
END $$;

CREATE TRIGGER objects_are_audited AFTER INSERT OR UPDATE OR DELETE ON objects FOR EACH ROW
EXECUTE FUNCTION audit_change('', 'name', 'id', 'kind', 'name', 'question', 'team', 'system', 'service', 'created_at', 'changed_at');
