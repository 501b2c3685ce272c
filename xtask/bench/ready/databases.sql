-- The databases that both files next to this one start with; runs once, on an empty volume.
CREATE ROLE accounts LOGIN PASSWORD 'bench';
CREATE DATABASE accounts OWNER accounts;
CREATE ROLE trading LOGIN PASSWORD 'bench';
CREATE DATABASE trading OWNER trading;

\connect accounts accounts
\i /schemas/accounts.sql
