-- The total is stored, and orders are looked up by user.
ALTER TABLE orders ADD COLUMN total numeric(20, 4) GENERATED ALWAYS AS (price * quantity) STORED;
CREATE INDEX orders_user_id ON orders (user_id);
