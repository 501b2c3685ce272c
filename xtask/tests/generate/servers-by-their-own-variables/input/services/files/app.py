import os

from azure.storage.blob import BlobServiceClient
from flask import Flask

app = Flask(__name__)
blobs = BlobServiceClient.from_connection_string(os.environ["AZURE_STORAGE_CONNECTION_STRING"])


@app.get("/health")
def health():
    return "ok"


app.run(host="0.0.0.0", port=8000)
