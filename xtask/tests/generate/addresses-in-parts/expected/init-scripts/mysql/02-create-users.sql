-- One user for each service, for its own database. `.env` holds the passwords.
-- ALTER USER takes no variable, hence PREPARE; `_` is a wildcard in the name of a grant.

CREATE USER IF NOT EXISTS 'orders'@'%' ACCOUNT LOCK;
SET @statement = CONCAT('ALTER USER ''orders''@''%'' IDENTIFIED BY ', QUOTE(@ORDERS_DB_PASSWORD), ' ACCOUNT UNLOCK');
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = CONCAT('GRANT ALL PRIVILEGES ON `', REPLACE('shop', '_', '\\_'), '`.* TO ''orders''@''%''');
PREPARE statement FROM @statement;
EXECUTE statement;
