import os
GATEWAY_URL = os.environ["GATEWAY_URL"]
EVENTS_URL = os.environ["EVENTS_URL"]
