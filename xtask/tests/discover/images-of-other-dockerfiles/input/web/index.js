require("http").createServer().listen(3001)
