-- People who sign in, and programs that hold a token. Secrets are kept as hashes only.
CREATE TABLE users (
  name          text        PRIMARY KEY,
  display_name  text        NOT NULL,
  role          text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  -- Teams whose objects the user may change; an admin changes all.
  teams         text[]      NOT NULL DEFAULT '{}',
  -- scrypt, with its parameters and salt; null for users who sign in elsewhere.
  password_hash text,
  -- The first password is told once and has to be replaced.
  must_change   boolean     NOT NULL DEFAULT false,
  disabled_at   timestamptz,
  created_at    timestamptz NOT NULL,
  revision      bigint      NOT NULL DEFAULT 1
);

CREATE TABLE sessions (
  -- SHA-256 of what the cookie holds: who reads the database cannot sign in.
  token_hash   text        PRIMARY KEY,
  user_name    text        NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  ends_at      timestamptz NOT NULL,
  origin       text        NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE api_tokens (
  name       text        PRIMARY KEY,
  token_hash text        NOT NULL UNIQUE,
  user_name  text        NOT NULL REFERENCES users (name) ON DELETE CASCADE,
  role       text        NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
  created_at timestamptz NOT NULL,
  not_after  timestamptz
);

-- Failed sign-ins by name and by address, so that guessing slows down on every Surety of a site.
CREATE TABLE sign_in_failures (
  subject    text        PRIMARY KEY,
  failures   integer     NOT NULL,
  last_at    timestamptz NOT NULL
);
