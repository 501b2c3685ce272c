import os

import pysolr
from flask import Flask

app = Flask(__name__)
solr = pysolr.Solr(os.environ["SOLR_URL"])


@app.get("/health")
def health():
    return "ok"


app.run(host="0.0.0.0", port=8000)
