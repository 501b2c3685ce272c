import os
ACCOUNTS_URL = os.environ["ACCOUNTS_URL"]
BILLING_URL = os.environ["BILLING_URL"]
CATALOG_URL = os.environ["CATALOG_URL"]
