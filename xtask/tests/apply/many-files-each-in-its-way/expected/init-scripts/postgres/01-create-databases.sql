-- mine
SELECT 1;
