import os

from minio import Minio

client = Minio(os.environ["MINIO_ENDPOINT"], os.environ["MINIO_ACCESS_KEY"], os.environ["MINIO_SECRET_KEY"])
bucket = os.environ.get("THUMBS_BUCKET", "thumbs")
