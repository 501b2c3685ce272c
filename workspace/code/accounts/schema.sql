-- Tables of the accounts database; applied once to it, because the service creates none itself.
CREATE TABLE users (
    id            integer     GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text        NOT NULL UNIQUE,
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);
