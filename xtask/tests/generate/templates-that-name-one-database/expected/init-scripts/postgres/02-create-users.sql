-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set orders_password `printenv ORDERS_DB_PASSWORD`
SELECT 'CREATE ROLE "orders"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orders')\gexec
ALTER ROLE "orders" LOGIN PASSWORD :'orders_password';

\set stock_password `printenv STOCK_DB_PASSWORD`
SELECT 'CREATE ROLE "stock"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stock')\gexec
ALTER ROLE "stock" LOGIN PASSWORD :'stock_password';

\set users_password `printenv USERS_DB_PASSWORD`
SELECT 'CREATE ROLE "users"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'users')\gexec
ALTER ROLE "users" LOGIN PASSWORD :'users_password';
