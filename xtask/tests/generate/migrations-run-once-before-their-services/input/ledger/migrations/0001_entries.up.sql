CREATE TABLE entries (id serial PRIMARY KEY);
