app = FastAPI()

@app.get("/api/v1/health")
def health():
    return {}
