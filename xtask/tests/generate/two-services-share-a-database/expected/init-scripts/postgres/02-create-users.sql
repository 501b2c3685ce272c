-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set reader_password `printenv READER_DB_PASSWORD`
SELECT 'CREATE ROLE "reader"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader')\gexec
ALTER ROLE "reader" LOGIN PASSWORD :'reader_password';

-- Several services share "votes": what one creates belongs to all.
SELECT 'CREATE ROLE "votes_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'votes_clients')\gexec
GRANT "votes_clients" TO "reader";
ALTER ROLE "reader" IN DATABASE "votes" SET role TO 'votes_clients';
\connect "votes"
GRANT ALL ON SCHEMA public TO "votes_clients";
SELECT 'REASSIGN OWNED BY "reader" TO "votes_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'votes' AND d.deptype = 'o' AND d.refobjid = '"reader"'::regrole)\gexec
\connect postgres

\set writer_password `printenv WRITER_DB_PASSWORD`
SELECT 'CREATE ROLE "writer"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'writer')\gexec
ALTER ROLE "writer" LOGIN PASSWORD :'writer_password';

-- Several services share "votes": what one creates belongs to all.
SELECT 'CREATE ROLE "votes_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'votes_clients')\gexec
GRANT "votes_clients" TO "writer";
ALTER ROLE "writer" IN DATABASE "votes" SET role TO 'votes_clients';
\connect "votes"
GRANT ALL ON SCHEMA public TO "votes_clients";
SELECT 'REASSIGN OWNED BY "writer" TO "votes_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'votes' AND d.deptype = 'o' AND d.refobjid = '"writer"'::regrole)\gexec
\connect postgres
