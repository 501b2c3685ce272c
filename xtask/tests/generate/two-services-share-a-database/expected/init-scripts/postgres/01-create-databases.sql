-- One database for each service. Runs on every `up`, so each statement can be repeated.

SELECT 'CREATE DATABASE "votes"'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'votes')\gexec
