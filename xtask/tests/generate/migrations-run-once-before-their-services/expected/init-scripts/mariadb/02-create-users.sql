-- One user for each service, for its own database. `.env` holds the passwords, the administrator's too.
-- ALTER USER takes no variable, hence PREPARE; `_` is a wildcard in the name of a grant.
SET @statement = CONCAT('ALTER USER ''root''@''localhost'' IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD(', QUOTE(@MYSQL_PWD), ')');
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = CONCAT('ALTER USER IF EXISTS ''root''@''%'' IDENTIFIED BY ', QUOTE(@MYSQL_PWD));
PREPARE statement FROM @statement;
EXECUTE statement;

CREATE USER IF NOT EXISTS 'stock'@'%' ACCOUNT LOCK;
SET @statement = CONCAT('ALTER USER ''stock''@''%'' IDENTIFIED BY ', QUOTE(@STOCK_DB_PASSWORD), ' ACCOUNT UNLOCK');
PREPARE statement FROM @statement;
EXECUTE statement;
SET @statement = CONCAT('GRANT ALL PRIVILEGES ON `', REPLACE('stock', '_', '\\_'), '`.* TO ''stock''@''%''');
PREPARE statement FROM @statement;
EXECUTE statement;
