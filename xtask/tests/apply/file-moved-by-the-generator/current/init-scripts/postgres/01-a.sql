SELECT 1;
-- mine
