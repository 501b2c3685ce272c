-- One database for each service. Runs on every `up`, so each statement can be repeated.

SELECT 'CREATE DATABASE "ledger"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ledger')\gexec

SELECT 'CREATE DATABASE "shop"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'shop')\gexec
