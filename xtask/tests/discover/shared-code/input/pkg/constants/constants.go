package constants

const (
	KafkaBrokers = "KAFKA_BROKERS"
	RedisAddr    = "REDIS_ADDR"
)
