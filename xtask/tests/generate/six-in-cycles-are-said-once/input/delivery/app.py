import os
EVENTS_URL = os.environ["EVENTS_URL"]
GATEWAY_URL = os.environ["GATEWAY_URL"]
