-- Orders with the price of their time.
CREATE TABLE orders (
    id         integer        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    integer        NOT NULL,
    symbol     text           NOT NULL,
    quantity   integer        NOT NULL CHECK (quantity > 0),
    price      numeric(18, 4) NOT NULL,
    created_at timestamptz    NOT NULL DEFAULT now()
);
