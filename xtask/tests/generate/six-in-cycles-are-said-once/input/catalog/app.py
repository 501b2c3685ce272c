import os
BILLING_URL = os.environ["BILLING_URL"]
DELIVERY_URL = os.environ["DELIVERY_URL"]
