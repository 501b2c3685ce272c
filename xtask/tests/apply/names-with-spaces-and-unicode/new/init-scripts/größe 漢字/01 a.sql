-- new
SELECT 1;
