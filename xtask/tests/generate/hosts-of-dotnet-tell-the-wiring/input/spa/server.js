fetch(process.env.API_BASE)
