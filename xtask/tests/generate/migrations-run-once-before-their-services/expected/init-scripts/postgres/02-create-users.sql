-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set courier_password `printenv COURIER_DB_PASSWORD`
SELECT 'CREATE ROLE "courier"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'courier')\gexec
ALTER ROLE "courier" LOGIN PASSWORD :'courier_password';

-- Several services share "orders": what one creates belongs to all.
SELECT 'CREATE ROLE "orders_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders_clients')\gexec
GRANT "orders_clients" TO "courier";
ALTER ROLE "courier" IN DATABASE "orders" SET role TO 'orders_clients';
\connect "orders"
GRANT ALL ON SCHEMA public TO "orders_clients";
SELECT 'REASSIGN OWNED BY "courier" TO "orders_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'orders' AND d.deptype = 'o' AND d.refobjid = '"courier"'::regrole)\gexec
\connect postgres

\set ledger_password `printenv LEDGER_DB_PASSWORD`
SELECT 'CREATE ROLE "ledger"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger')\gexec
ALTER ROLE "ledger" LOGIN PASSWORD :'ledger_password';

\set orders_password `printenv ORDERS_DB_PASSWORD`
SELECT 'CREATE ROLE "orders"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders')\gexec
ALTER ROLE "orders" LOGIN PASSWORD :'orders_password';

-- Several services share "orders": what one creates belongs to all.
SELECT 'CREATE ROLE "orders_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders_clients')\gexec
GRANT "orders_clients" TO "orders";
ALTER ROLE "orders" IN DATABASE "orders" SET role TO 'orders_clients';
\connect "orders"
GRANT ALL ON SCHEMA public TO "orders_clients";
SELECT 'REASSIGN OWNED BY "orders" TO "orders_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'orders' AND d.deptype = 'o' AND d.refobjid = '"orders"'::regrole)\gexec
\connect postgres
