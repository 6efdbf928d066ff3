-- How users prove who they are. Users themselves are objects; here are their secrets, as hashes only. A user who is deleted takes
-- all of it along.
CREATE TABLE passwords (
  user_name   text        COLLATE "C" PRIMARY KEY,
  user_kind   text        COLLATE "C" NOT NULL DEFAULT 'user' CHECK (user_kind = 'user'),
  -- scrypt with its parameters and salt.
  hash        text        NOT NULL,
  -- Told once, by a machine: it has to be replaced at the first use.
  is_one_time boolean     NOT NULL,
  changed_at  timestamptz NOT NULL,
  FOREIGN KEY (user_kind, user_name) REFERENCES objects ON DELETE CASCADE
);
CREATE TRIGGER passwords_are_audited AFTER INSERT OR UPDATE OR DELETE ON passwords FOR EACH ROW
EXECUTE FUNCTION audit_change('password', 'user_name', 'user_kind', 'hash');

CREATE TABLE sessions (
  -- Names the session where people see it.
  id           text        COLLATE "C" PRIMARY KEY,
  -- SHA-256 of what the cookie holds: who reads the database cannot use a session.
  secret_hash  text        COLLATE "C" NOT NULL UNIQUE,
  user_name    text        COLLATE "C" NOT NULL,
  user_kind    text        COLLATE "C" NOT NULL DEFAULT 'user' CHECK (user_kind = 'user'),
  -- Who said that it is the user: password, or an identity provider.
  provider     text        NOT NULL,
  origin       text        NOT NULL,
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  ends_at      timestamptz NOT NULL,
  FOREIGN KEY (user_kind, user_name) REFERENCES objects ON DELETE CASCADE
);
CREATE INDEX sessions_user ON sessions (user_name);
CREATE TRIGGER sessions_are_audited AFTER INSERT OR UPDATE OR DELETE ON sessions FOR EACH ROW
EXECUTE FUNCTION audit_change('session', 'id', 'user_kind', 'secret_hash', 'last_seen_at');

CREATE TABLE api_tokens (
  id          text        COLLATE "C" PRIMARY KEY,
  secret_hash text        COLLATE "C" NOT NULL UNIQUE,
  user_name   text        COLLATE "C" NOT NULL,
  user_kind   text        COLLATE "C" NOT NULL DEFAULT 'user' CHECK (user_kind = 'user'),
  name        text        COLLATE "C" NOT NULL,
  -- Permissions, of those that the user has.
  scopes      text[]      NOT NULL,
  created_at  timestamptz NOT NULL,
  -- The first instant at which it is no longer good; null: as long as its user.
  ends_at     timestamptz,
  last_used_at timestamptz,
  UNIQUE (user_name, name),
  FOREIGN KEY (user_kind, user_name) REFERENCES objects ON DELETE CASCADE
);
CREATE TRIGGER api_tokens_are_audited AFTER INSERT OR UPDATE OR DELETE ON api_tokens FOR EACH ROW
EXECUTE FUNCTION audit_change('token', 'id', 'user_kind', 'secret_hash', 'last_used_at');

-- Failed sign-ins by user and by address, so that guessing slows down on every Surety of a site.
CREATE TABLE sign_in_failures (
  subject  text        COLLATE "C" PRIMARY KEY,
  failures integer     NOT NULL,
  last_at  timestamptz NOT NULL
);

-- What every Surety on this registry shares and nobody else knows: the key that signs cursors.
CREATE TABLE secrets (
  name  text COLLATE "C" PRIMARY KEY,
  value text NOT NULL
);
