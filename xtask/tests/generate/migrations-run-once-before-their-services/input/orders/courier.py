import os

os.environ["DATABASE_URL"]
