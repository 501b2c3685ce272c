-- A database belongs to its user, and nobody else may connect to it.
SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', datname)
  FROM pg_database WHERE datallowconn\gexec

ALTER DATABASE "orders" OWNER TO "orders";

ALTER DATABASE "stock" OWNER TO "stock";

ALTER DATABASE "users" OWNER TO "users";
