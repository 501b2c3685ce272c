-- One database for each service. Runs on every `up`, so each statement can be repeated.

SELECT 'CREATE DATABASE "orders"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'orders')\gexec

SELECT 'CREATE DATABASE "stock"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'stock')\gexec

SELECT 'CREATE DATABASE "users"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'users')\gexec
