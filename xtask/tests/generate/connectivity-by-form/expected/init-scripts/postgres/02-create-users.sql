-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set ledger_password `printenv LEDGER_DB_PASSWORD`
SELECT 'CREATE ROLE "ledger"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger')\gexec
ALTER ROLE "ledger" LOGIN PASSWORD :'ledger_password';

\set shop_password `printenv SHOP_DB_PASSWORD`
SELECT 'CREATE ROLE "shop"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop')\gexec
ALTER ROLE "shop" LOGIN PASSWORD :'shop_password';
