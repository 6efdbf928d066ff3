-- What people define, one row each: organisations, teams, users, systems, services, SLOs, calendars, exclusions. What a kind
-- may hold is checked before it comes here (query/registry/kinds.ts).
CREATE TABLE objects (
  -- Never used again: what is kept elsewhere about an object that was deleted does not pass to its successor of the same name.
  id         bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
  kind       text        COLLATE "C" NOT NULL,
  name       text        COLLATE "C" NOT NULL,
  -- Display name, labels, annotations.
  metadata   jsonb       NOT NULL,
  spec       jsonb       NOT NULL,
  -- Fingerprint of what an SLO asks; another one begins a new generation.
  question   text        NOT NULL DEFAULT '',
  generation bigint      NOT NULL DEFAULT 1,
  -- Counts changes; what an editor read last, so that nobody overwrites what he has not seen.
  revision   bigint      NOT NULL DEFAULT 1,
  -- The set of files that it was last applied from; empty: by hand.
  bundle     text        COLLATE "C" NOT NULL DEFAULT '',
  -- Where it belongs, as far as it says so itself.
  team       text        COLLATE "C",
  system     text        COLLATE "C",
  service    text        COLLATE "C",
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (kind, name)
);
CREATE INDEX objects_bundle ON objects (bundle) WHERE bundle <> '';
CREATE INDEX objects_labels ON objects USING gin ((metadata -> 'labels') jsonb_path_ops);

-- Which object names which. Nothing that is named can go, and nothing can be named that is not there, by the end of a transaction.
CREATE TABLE object_references (
  from_kind text COLLATE "C" NOT NULL,
  from_name text COLLATE "C" NOT NULL,
  -- Where in the object: spec.dependsOn[0].system
  path      text COLLATE "C" NOT NULL,
  to_kind   text COLLATE "C" NOT NULL,
  to_name   text COLLATE "C" NOT NULL,
  PRIMARY KEY (from_kind, from_name, path),
  FOREIGN KEY (from_kind, from_name) REFERENCES objects ON DELETE CASCADE,
  FOREIGN KEY (to_kind, to_name) REFERENCES objects DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX object_references_to ON object_references (to_kind, to_name);

-- Objects with the system they are part of and the team that owns them, through service and system if need be.
CREATE VIEW placed_objects AS
SELECT o.*,
  coalesce(o.system, service_of.system) AS in_system,
  coalesce(o.team, service_of.team, system_of.team) AS owner
FROM objects o
LEFT JOIN objects service_of ON service_of.kind = 'service' AND service_of.name = o.service
LEFT JOIN objects system_of ON system_of.kind = 'system' AND system_of.name = coalesce(o.system, service_of.system);
