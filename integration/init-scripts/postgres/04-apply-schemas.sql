-- Each service's own schema files, once, as its user; a file that fails leaves nothing behind.

\connect "accounts" "accounts"
CREATE SCHEMA IF NOT EXISTS integration_setup;
CREATE TABLE IF NOT EXISTS integration_setup.applied_files (
    service text, file text, applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (service, file));
SELECT NOT EXISTS (SELECT FROM integration_setup.applied_files
                    WHERE service = 'accounts' AND file = '/schemas/accounts/schema.sql') AS wanted\gset
\if :wanted
BEGIN;
\i /schemas/accounts/schema.sql
INSERT INTO integration_setup.applied_files (service, file) VALUES ('accounts', '/schemas/accounts/schema.sql');
COMMIT;
\endif
