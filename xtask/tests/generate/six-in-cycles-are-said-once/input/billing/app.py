import os
ACCOUNTS_URL = os.environ["ACCOUNTS_URL"]
CATALOG_URL = os.environ["CATALOG_URL"]
