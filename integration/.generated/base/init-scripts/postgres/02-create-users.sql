-- One user for each service. `.env` holds the passwords, the administrator's too.
\getenv postgres_password POSTGRES_PASSWORD
ALTER ROLE postgres PASSWORD :'postgres_password';

\getenv accounts_password ACCOUNTS_DB_PASSWORD
SELECT 'CREATE ROLE "accounts"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'accounts')\gexec
ALTER ROLE "accounts" LOGIN PASSWORD :'accounts_password';

\getenv trading_password TRADING_DB_PASSWORD
SELECT 'CREATE ROLE "trading"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'trading')\gexec
ALTER ROLE "trading" LOGIN PASSWORD :'trading_password';
