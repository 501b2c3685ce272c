module example.org/shop/orders

go 1.24

require (
	github.com/jackc/pgx/v5 v5.7.0
	github.com/redis/go-redis/v9 v9.7.0
	github.com/spf13/viper v1.20.0
)
