-- One database for each service. Runs on every `up`, so each statement can be repeated.

SELECT 'CREATE DATABASE "orders"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'orders')\gexec
