-- A database belongs to its user, and nobody else may connect to it.
SELECT format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', datname)
  FROM pg_database WHERE datallowconn\gexec

ALTER DATABASE "orders" OWNER TO "shop_migrationservice";

ALTER DATABASE "orders" OWNER TO "orders_clients";

ALTER DATABASE "orders" OWNER TO "shop_orders";

ALTER DATABASE "orders" OWNER TO "orders_clients";
