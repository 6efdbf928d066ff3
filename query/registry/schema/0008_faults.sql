-- Faults: what deviated, where, since when, and what was said of it last. Who finds them and who explains them keep everything here,
-- so that a restart neither forgets nor repeats.
CREATE TABLE faults (
  -- Made of the alarm that began it: the same alarm makes the same fault.
  id         text        COLLATE "C" PRIMARY KEY,
  origin     text        NOT NULL CHECK (origin IN ('slo', 'detector', 'external')),
  name       text        NOT NULL,
  measure    text        NOT NULL CHECK (measure IN ('errors', 'latency', 'requests_lost')),
  service    text        COLLATE "C" NOT NULL,
  place      jsonb       NOT NULL,
  system     text        COLLATE "C",
  alarm_at   timestamptz NOT NULL,
  -- When the last of its alarms was over.
  ended_at   timestamptz,
  -- When it is to be explained next; null: never again.
  next_at    timestamptz,
  -- Explanations in a row that failed.
  failures   integer     NOT NULL DEFAULT 0,
  -- The newest explanation. Text and not jsonb: the same bytes come out as went in.
  explanation json,
  verdict    text,
  -- Releases that it is blamed on or suspected for.
  releases   text[]      NOT NULL DEFAULT '{}',
  -- What was told outward last: verdict and release.
  told       text        NOT NULL DEFAULT ''
);
CREATE INDEX faults_due ON faults (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX faults_alarm_at ON faults (alarm_at);

-- What began faults or came to them: a fault is one episode, however many alarms it rings.
CREATE TABLE fault_alarms (
  key        text        COLLATE "C" PRIMARY KEY,
  -- The same however often it rings: what ends it names it by this.
  series     text        COLLATE "C" NOT NULL,
  fault      text        COLLATE "C" NOT NULL REFERENCES faults ON DELETE CASCADE,
  origin     text        NOT NULL,
  name       text        NOT NULL,
  measure    text        NOT NULL,
  place      jsonb       NOT NULL,
  at         timestamptz NOT NULL,
  ended_at   timestamptz
);
CREATE INDEX fault_alarms_fault ON fault_alarms (fault);
CREATE INDEX fault_alarms_open ON fault_alarms (series) WHERE ended_at IS NULL;

CREATE TABLE fault_decisions (
  fault      text        COLLATE "C" NOT NULL REFERENCES faults ON DELETE CASCADE,
  number     integer     NOT NULL,
  decided_at timestamptz NOT NULL,
  verdict    text        NOT NULL,
  top        text,
  posterior  double precision,
  -- Of everything that it was decided on: the same case gives the same explanation.
  case_digest text       NOT NULL,
  PRIMARY KEY (fault, number)
);

-- What is to be told outward, in the transaction that decided it.
CREATE TABLE fault_events (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fault      text        COLLATE "C" NOT NULL,
  kept_at    timestamptz NOT NULL,
  event      json        NOT NULL
);
