package log

var level = os.Getenv("LOG_LEVEL")
