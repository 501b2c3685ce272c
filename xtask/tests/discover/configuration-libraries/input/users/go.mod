module example.org/shop/users

go 1.24

require (
	github.com/kelseyhightower/envconfig v1.4.0
	github.com/lib/pq v1.10.9
)
