import os
DB = os.environ["DB_NAME"]
H = os.environ["DB_HOST"]
