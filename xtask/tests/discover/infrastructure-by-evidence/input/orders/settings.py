import os

BROKER = os.environ["CELERY_BROKER_URL"]
EVENTS = os.environ.get("EVENTS_MONGO_URL", None)
STORE = os.environ.get("OBJECT_STORE", "objectstore:9000")
