-- One database for each service. Runs on every `up`, so each statement can be repeated.

SELECT 'CREATE DATABASE "accounts"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'accounts')\gexec

SELECT 'CREATE DATABASE "trading"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'trading')\gexec
