-- One user for each service. `.env` holds the passwords, the administrator's too.
\set postgres_password `printenv POSTGRES_PASSWORD`
ALTER ROLE postgres PASSWORD :'postgres_password';

\set shop_orders_password `printenv SHOP_ORDERS_DB_PASSWORD`
SELECT 'CREATE ROLE "shop_orders"'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_orders')\gexec
ALTER ROLE "shop_orders" LOGIN PASSWORD :'shop_orders_password';
