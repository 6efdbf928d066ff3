-- What the loop that judges SLOs remembers. `track` names what is judged by itself: id of the SLO, place of the objective, group.
CREATE TABLE slo_states (
  track      text        COLLATE "C" PRIMARY KEY,
  -- Of everything that makes figures comparable with the past; another one begins anew.
  fingerprint text       NOT NULL,
  state      jsonb       NOT NULL,
  changed_at timestamptz NOT NULL
);

-- How far the loop has judged, by length of slices.
CREATE TABLE slo_progress (
  step_seconds integer     PRIMARY KEY,
  judged_to    timestamptz NOT NULL,
  missed       bigint      NOT NULL DEFAULT 0
);

-- Every change of a state, in the transaction that kept the state: in order, once. Who publishes keeps its place.
CREATE TABLE slo_transitions (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The instant it is true for, however late it was judged.
  at         timestamptz NOT NULL,
  judged_at  timestamptz NOT NULL,
  slo        text        COLLATE "C" NOT NULL,
  objective  integer     NOT NULL,
  slo_group  text        NOT NULL,
  system     text        COLLATE "C",
  generation bigint      NOT NULL,
  transition jsonb       NOT NULL
);
CREATE INDEX slo_transitions_slo ON slo_transitions (slo, id);

CREATE TABLE slo_publishers (
  name    text   PRIMARY KEY,
  last_id bigint NOT NULL
);

-- How far back each series of slices is known.
CREATE TABLE slo_backfills (
  series     text        COLLATE "C" PRIMARY KEY,
  -- Measured from here on; going on backwards.
  known_from timestamptz NOT NULL,
  -- As far as telemetry was kept when it began.
  reaches_to timestamptz NOT NULL
);

-- Slices of the settled past that turned out different: nothing changes until somebody decides.
CREATE TABLE slo_corrections (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  series     text        COLLATE "C" NOT NULL,
  step_seconds integer   NOT NULL,
  slo_group  text        NOT NULL,
  start      timestamptz NOT NULL,
  before     jsonb,
  after      jsonb       NOT NULL,
  noticed_at timestamptz NOT NULL,
  decision   text        NOT NULL DEFAULT 'open' CHECK (decision IN ('open', 'approved', 'rejected')),
  decided_by text,
  decided_at timestamptz,
  -- When the loop had put it into the slices.
  applied_at timestamptz,
  UNIQUE (series, slo_group, start, after)
);
CREATE INDEX slo_corrections_series ON slo_corrections (series, id);
CREATE TRIGGER slo_corrections_are_audited AFTER UPDATE ON slo_corrections FOR EACH ROW
EXECUTE FUNCTION audit_change('slo-correction', 'id', 'applied_at', 'noticed_at', 'decided_at');
