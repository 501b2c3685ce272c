-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set shop_migrationservice_password `printenv SHOP_MIGRATIONSERVICE_DB_PASSWORD`
SELECT 'CREATE ROLE "shop_migrationservice"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_migrationservice')\gexec
ALTER ROLE "shop_migrationservice" LOGIN PASSWORD :'shop_migrationservice_password';

-- Several services share "orders": what one creates belongs to all.
SELECT 'CREATE ROLE "orders_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders_clients')\gexec
GRANT "orders_clients" TO "shop_migrationservice";
ALTER ROLE "shop_migrationservice" IN DATABASE "orders" SET role TO 'orders_clients';
\connect "orders"
GRANT ALL ON SCHEMA public TO "orders_clients";
SELECT 'REASSIGN OWNED BY "shop_migrationservice" TO "orders_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'orders' AND d.deptype = 'o' AND d.refobjid = '"shop_migrationservice"'::regrole)\gexec
\connect postgres

\set shop_orders_password `printenv SHOP_ORDERS_DB_PASSWORD`
SELECT 'CREATE ROLE "shop_orders"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_orders')\gexec
ALTER ROLE "shop_orders" LOGIN PASSWORD :'shop_orders_password';

-- Several services share "orders": what one creates belongs to all.
SELECT 'CREATE ROLE "orders_clients"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders_clients')\gexec
GRANT "orders_clients" TO "shop_orders";
ALTER ROLE "shop_orders" IN DATABASE "orders" SET role TO 'orders_clients';
\connect "orders"
GRANT ALL ON SCHEMA public TO "orders_clients";
SELECT 'REASSIGN OWNED BY "shop_orders" TO "orders_clients"'
 WHERE EXISTS (SELECT FROM pg_shdepend d JOIN pg_database b ON b.oid = d.dbid
                WHERE b.datname = 'orders' AND d.deptype = 'o' AND d.refobjid = '"shop_orders"'::regrole)\gexec
\connect postgres
