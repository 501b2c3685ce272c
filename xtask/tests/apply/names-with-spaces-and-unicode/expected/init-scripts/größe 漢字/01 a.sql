-- new
SELECT 1;
-- mine
