-- What was said of releases: the newest verdict of each, every change of it, what people said instead, and what is told outward.
CREATE TABLE release_verdicts (
  release    text        COLLATE "C" PRIMARY KEY,
  -- As telemetry says it; empty when it is no service.
  service    text        COLLATE "C" NOT NULL,
  version    text        COLLATE "C" NOT NULL,
  system     text        COLLATE "C",
  team       text        COLLATE "C",
  vendor     text        COLLATE "C",
  order_id   text        COLLATE "C" NOT NULL,
  started_at timestamptz NOT NULL,
  ready_at   timestamptz,
  verdict    text        NOT NULL CHECK (verdict IN ('worse', 'not-worse', 'cannot-tell')),
  fault      text        CHECK (fault IN ('technical', 'business')),
  -- The release as it was known when it was judged, the verdict, and what it cost. Text and not jsonb: the same bytes come out as went in.
  known      json        NOT NULL,
  body       json        NOT NULL,
  effect     json,
  decided_at timestamptz NOT NULL,
  -- When the word changed last.
  changed_at timestamptz NOT NULL,
  -- When it is to be judged next; null: never again.
  next_at    timestamptz,
  -- Judgements in a row that failed.
  failures   integer     NOT NULL DEFAULT 0
);
CREATE INDEX release_verdicts_started ON release_verdicts (started_at);
CREATE INDEX release_verdicts_version ON release_verdicts (service, version, started_at);
CREATE INDEX release_verdicts_order ON release_verdicts (order_id) WHERE order_id <> '';

CREATE TABLE release_verdict_changes (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  release    text        COLLATE "C" NOT NULL REFERENCES release_verdicts ON DELETE CASCADE,
  at         timestamptz NOT NULL,
  -- Null: the first.
  was        text,
  verdict    text        NOT NULL,
  body       json        NOT NULL
);
CREATE INDEX release_verdict_changes_release ON release_verdict_changes (release, id);

-- A person decided otherwise, or the same: the newest revision holds. Ours stays beside it.
CREATE TABLE release_overrides (
  release    text        COLLATE "C" NOT NULL REFERENCES release_verdicts ON DELETE CASCADE,
  revision   integer     NOT NULL,
  verdict    text        NOT NULL CHECK (verdict IN ('worse', 'not-worse', 'cannot-tell')),
  reason     text        NOT NULL,
  decided_by text        COLLATE "C" NOT NULL,
  at         timestamptz NOT NULL,
  -- What we said at that instant.
  ours       text        NOT NULL,
  PRIMARY KEY (release, revision)
);
CREATE TRIGGER release_overrides_are_audited AFTER INSERT OR UPDATE OR DELETE ON release_overrides FOR EACH ROW
EXECUTE FUNCTION audit_change('release-override', 'release', 'revision', 'decided_by', 'at');

-- What is to be told outward, in the transaction that decided it.
CREATE TABLE release_verdict_events (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  release    text        COLLATE "C" NOT NULL,
  kept_at    timestamptz NOT NULL,
  event      json        NOT NULL
);

-- Records of release windows, each with the hash of the one before. Written once: who could change one would break the chain for all after it.
CREATE TABLE release_window_records (
  sequence      bigint      PRIMARY KEY,
  window_id     text        COLLATE "C" NOT NULL,
  made_at       timestamptz NOT NULL,
  -- Canonical JSON, the bytes that were hashed and signed.
  body          text        NOT NULL,
  previous_hash text        NOT NULL,
  hash          text        NOT NULL,
  -- Base64; null: there was no key.
  signature     text,
  public_key    text
);
CREATE INDEX release_window_records_window ON release_window_records (window_id, sequence);
CREATE FUNCTION refuse_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'records of release windows are only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER release_window_records_stay BEFORE UPDATE OR DELETE ON release_window_records
FOR EACH ROW EXECUTE FUNCTION refuse_record_change();
CREATE TRIGGER release_window_records_are_not_emptied BEFORE TRUNCATE ON release_window_records
FOR EACH STATEMENT EXECUTE FUNCTION refuse_record_change();
