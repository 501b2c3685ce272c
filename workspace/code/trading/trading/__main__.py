"""Starts the server: `python -m trading`."""

import logging

import uvicorn

from . import config
from .app import app

logging.basicConfig(level=config.LOG_LEVEL.upper(), format="%(levelname)s %(name)s: %(message)s")
logging.getLogger("httpx").setLevel(logging.WARNING)
uvicorn.run(app, host="0.0.0.0", port=config.PORT, log_level=config.LOG_LEVEL, log_config=None)
