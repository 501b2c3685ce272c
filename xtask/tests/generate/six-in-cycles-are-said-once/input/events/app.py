import os
ACCOUNTS_URL = os.environ["ACCOUNTS_URL"]
DELIVERY_URL = os.environ["DELIVERY_URL"]
