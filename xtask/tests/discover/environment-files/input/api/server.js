const url = process.env.SHARED_URL;
