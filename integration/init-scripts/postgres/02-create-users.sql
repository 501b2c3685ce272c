-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set accounts_password `printenv ACCOUNTS_DB_PASSWORD`
SELECT 'CREATE ROLE "accounts"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'accounts')\gexec
ALTER ROLE "accounts" LOGIN PASSWORD :'accounts_password';

\set trading_password `printenv TRADING_DB_PASSWORD`
SELECT 'CREATE ROLE "trading"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trading')\gexec
ALTER ROLE "trading" LOGIN PASSWORD :'trading_password';
