SELECT 3; -- mine
